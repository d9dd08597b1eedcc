import { REASONS as API } from "@firstlight/api/reasons";
import { REASONS as DHCPD } from "@firstlight/dhcpd/reasons";
import { REASONS as TFTPD } from "@firstlight/tftpd/reasons";
import { EDIT_REASONS } from "@firstlight/ipam";
import { fillSentence, type ReasonRow, type ReasonTable } from "@firstlight/service";

/** The reason table of the daemon that reports an event, by the first word of the event's kind. */
const TABLES: Readonly<Record<string, ReasonTable>> = { dhcp: DHCPD, interface: DHCPD, machine: API, tftp: TFTPD };

/** The sentence of an event's reason. What is no code, as in events stored by older versions, is its own sentence. */
export function eventSentence(kind: string, because: string, facts: Readonly<Record<string, string>>): string {
  const table = kind === "pxe.phone-home" ? API : TABLES[kind.split(".")[0]!];
  const row = rowOf(table, because);
  return row === undefined ? because : fillSentence(row.sentence, facts);
}

/** What an operator does about a reason of the API; `undefined` where this version does not know the reason. */
export function apiRemedy(reason: string): string | undefined {
  return (rowOf(API, reason) ?? rowOf(EDIT_REASONS, reason))?.remedy;
}

function rowOf(table: ReasonTable | undefined, code: string): ReasonRow | undefined {
  return table !== undefined && Object.hasOwn(table, code) ? table[code] : undefined;
}
