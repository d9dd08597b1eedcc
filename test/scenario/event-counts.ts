import type { BootEvent } from "@firstlight/api-client";
import type { Role, StepName } from "@firstlight/rack";

/** A line of the rack's log: one step of a machine. */
export interface RackStep {
  readonly machine: string;
  readonly role: Role;
  readonly mac: string;
  readonly step: StepName;
  readonly detail: Readonly<Record<string, string | number>>;
}

/** An event of a timeline. */
export type TimelineEvent = Pick<BootEvent, "id" | "mac"> & { readonly kind: string };

/** The steps among the lines of the rack's log. */
export function stepsOf(lines: readonly object[]): RackStep[] {
  return lines.filter((line): line is RackStep => "machine" in line && "step" in line);
}

/** One activity: the rack's steps, and the kinds of event that the servers report for them. */
interface Activity {
  readonly steps: (step: RackStep) => boolean;
  readonly kinds: readonly string[];
}

/** Activities that both the rack and the site record. */
const ACTIVITIES = {
  leases: { steps: ({ step }) => step === "dhcp.bound", kinds: ["dhcp.ack"] },
  transfers: { steps: ({ step }) => step === "tftp.probe" || step === "tftp.fetched", kinds: ["tftp.end"] },
  scripts: { steps: ({ step }) => step === "ipxe.script", kinds: ["pxe.script", "pxe.wait"] },
  artefacts: { steps: fetched("iPXE", "kernel", "initrd"), kinds: ["pxe.artefact"] },
  documents: { steps: fetched("cloud-init"), kinds: ["pxe.cloud-init"] },
  calls: { steps: ({ step }) => step === "phone-home", kinds: ["pxe.phone-home"] },
} as const satisfies Record<string, Activity>;

/** The name of an activity. */
export type ActivityName = keyof typeof ACTIVITIES;

function fetched(...what: readonly string[]): (step: RackStep) => boolean {
  return ({ step, detail }) => step === "http.fetched" && what.includes(String(detail["what"]));
}

/** How often each interface did it according to the rack's log, by MAC. */
export function rackCounts(activity: ActivityName, steps: readonly RackStep[]): Map<string, number> {
  const { steps: isOfActivity }: Activity = ACTIVITIES[activity];
  return countByMac(steps.filter(isOfActivity));
}

/** How often each interface did it according to the site's events, by MAC. */
export function eventCounts(activity: ActivityName, events: readonly TimelineEvent[]): Map<string, number> {
  const { kinds }: Activity = ACTIVITIES[activity];
  return countByMac(events.filter(({ kind }) => kinds.includes(kind)));
}

function countByMac(all: readonly { readonly mac?: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { mac = "no MAC" } of all) counts.set(mac, (counts.get(mac) ?? 0) + 1);
  return new Map([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
