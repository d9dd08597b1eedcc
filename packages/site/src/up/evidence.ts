import type { Operator } from "@firstlight/api-client";
import type { ExpectedMachines } from "@firstlight/ipam/config";
import type { Machine } from "../commands/machines.ts";
import type { BothWays } from "./lookup.ts";
import { stateWord, timeMs } from "../print.ts";

export type Expected = ExpectedMachines[number];

/** What is known of an expected machine. */
export interface Evidence {
  readonly name: string;
  readonly machine: Machine | undefined;
  /** From the first to the last event of this boot. */
  readonly bootSeconds: number | undefined;
  /** What is still missing; empty: the machine is complete. */
  readonly missing: readonly string[];
}

/** As many as the API gives of one machine: an old site's timeline is long. */
const MOST_EVENTS = 5000;

/** The cheap check, of the machine's own fields. `taken` collects the owners of addresses over all machines. */
export function shortcomings(
  expected: Expected,
  machine: Machine | undefined,
  taken: Map<string, string>,
): readonly string[] {
  if (machine === undefined) return ["the API does not know it"];
  const missing = stateWord(machine.state) === "ready" ? [] : [`is ${stateWord(machine.state)}, not ready`];
  for (const { mac, role } of expected.interfaces) {
    const found = machine.interfaces.find((one) => one.mac === mac.toLowerCase());
    if (found === undefined || found.address === "") missing.push(`${role} ${mac} has no address`);
    else if (found.fqdn === "") missing.push(`${role} ${found.address} has no name`);
    else {
      const owner = taken.get(found.address) ?? found.mac;
      if (owner !== found.mac) missing.push(`${role} has ${found.address}, and so has ${owner}`);
      taken.set(found.address, owner);
    }
  }
  return missing;
}

/** The expensive check, for a machine that passes the cheap one: its names in DNS and the events of its boot. */
export async function prove(
  machine: Machine,
  { operator, bothWays, since }: { operator: Operator; bothWays: BothWays; since: number },
): Promise<Pick<Evidence, "bootSeconds" | "missing">> {
  const named = machine.interfaces.filter(({ address, fqdn }) => address !== "" && fqdn !== "");
  const names = await Promise.all(named.map(({ fqdn, address }) => bothWays(fqdn, address)));
  const { events } = await operator.machines.getTimeline({ machine: machine.name, limit: MOST_EVENTS });
  const record = recordOf(events, machine.interfaces, since);
  return { ...record, missing: [...names.filter((because) => because !== undefined), ...record.missing] };
}

type Recorded = Pick<
  Awaited<ReturnType<Operator["machines"]["getTimeline"]>>["events"][number],
  "at" | "kind" | "mac" | "trace"
>;

/** What the timeline shows of the boot since then: each interface's promise acknowledged, the host's script fetched. */
export function recordOf(
  events: readonly Recorded[],
  interfaces: readonly { readonly mac: string; readonly role: string }[],
  since: number,
): Pick<Evidence, "bootSeconds" | "missing"> {
  const isSince = ({ at }: Recorded): boolean => at !== undefined && timeMs(at) >= since;
  const traces = new Set(events.filter(isSince).map(({ trace }) => trace));
  traces.delete("");
  // An ACK has the database's time. If that clock is behind this one, the boot's trace shows which boot the ACK belongs to.
  const boot = events.filter((event) => isSince(event) || traces.has(event.trace));
  const times = boot.flatMap(({ at }) => (at === undefined ? [] : [timeMs(at)]));
  const has = (kind: string, mac: string): boolean => boot.some((event) => event.kind === kind && event.mac === mac);
  return {
    bootSeconds: times.length < 2 ? undefined : (Math.max(...times) - Math.min(...times)) / 1000,
    missing: [
      ...interfaces.filter(({ mac }) => !has("dhcp.ack", mac)).map(({ role }) => `${role} has no dhcp.ack on record`),
      ...interfaces
        .filter(({ role, mac }) => role === "host" && !has("pxe.script", mac))
        .map(() => "host fetched no boot script"),
    ],
  };
}
