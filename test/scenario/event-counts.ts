import type { BootEvent } from "@firstlight/api-client";
import type { Role, StepName } from "@firstlight/rack";

/** A step as the rack's process logs it. */
export interface Logged {
  readonly machine: string;
  readonly role: Role;
  readonly mac: string;
  readonly step: StepName;
  readonly detail: Readonly<Record<string, string | number>>;
}

/** An event as the timeline tells it. */
export type Told = Pick<BootEvent, "id" | "mac"> & { readonly kind: string };

/** The steps among the lines of the rack's log. */
export function stepsOf(lines: readonly object[]): Logged[] {
  return lines.filter((line): line is Logged => "machine" in line && "step" in line);
}

interface Row {
  readonly steps: (step: Logged) => boolean;
  readonly kinds: readonly string[];
}

/** What each side says of one thing that happened to both. Add a row, not a branch. */
const BOTH_SAY = {
  leases: { steps: ({ step }) => step === "dhcp.bound", kinds: ["dhcp.ack"] },
  transfers: { steps: ({ step }) => step === "tftp.probe" || step === "tftp.fetched", kinds: ["tftp.end"] },
  scripts: { steps: ({ step }) => step === "ipxe.script", kinds: ["pxe.script", "pxe.wait"] },
  artefacts: { steps: fetched("iPXE", "kernel", "initrd"), kinds: ["pxe.artefact"] },
  documents: { steps: fetched("cloud-init"), kinds: ["pxe.cloud-init"] },
  calls: { steps: ({ step }) => step === "phone-home", kinds: ["pxe.phone-home"] },
} as const satisfies Record<string, Row>;

/** One page of the ledger: what is counted. */
export type Page = keyof typeof BOTH_SAY;

function fetched(...what: readonly string[]): (step: Logged) => boolean {
  return ({ step, detail }) => step === "http.fetched" && what.includes(String(detail["what"]));
}

/** How often it happened to each interface, as the rack lived it: MAC → times. */
export function lived(page: Page, steps: readonly Logged[]): Map<string, number> {
  const { steps: belongs }: Row = BOTH_SAY[page];
  return count(steps.filter(belongs));
}

/** The same, as the site has it on record. */
export function recorded(page: Page, events: readonly Told[]): Map<string, number> {
  const { kinds }: Row = BOTH_SAY[page];
  return count(events.filter(({ kind }) => kinds.includes(kind)));
}

function count(all: readonly { readonly mac?: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { mac = "nobody" } of all) counts.set(mac, (counts.get(mac) ?? 0) + 1);
  return new Map([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
