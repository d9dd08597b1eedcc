import type { Role } from "./fleet.ts";

/** Every step of a boot, and what it means. */
export const STEPS = {
  "power-on": "has power",
  "dhcp.start": "asks for an address",
  "dhcp.note": "makes something of a reply, or of its absence",
  "dhcp.bound": "holds an address",
  "dhcp.renewed": "holds its address for longer",
  "tftp.probe": "asked how large a file is",
  "tftp.fetched": "fetched a file over TFTP",
  "http.probe": "asked whether a file is there",
  "http.fetched": "fetched a file over HTTP",
  "http.refused": "was refused a file",
  "http.retry": "asks again later",
  "ipxe.script": "runs a boot script",
  "ipxe.echo": "shows a line",
  "ipxe.sleep": "waits as its script says",
  "os.boot": "starts its kernel",
  "dns.resolved": "finds itself in DNS, both ways",
  "dns.retry": "is not in DNS yet",
  "phone-home": "told the site that its system is up",
  "local-disk": "boots its local disk",
  "boot.retry": "failed to boot and starts over, as firmware does",
  ready: "is done",
  failed: "gives up",
} as const;

export type StepName = keyof typeof STEPS;
export type Detail = Readonly<Record<string, string | number>>;

/** One entry of a machine's boot. `at` is milliseconds since the rack was powered on. */
export interface Step {
  readonly machine: string;
  readonly role: Role;
  readonly mac: string;
  readonly at: number;
  readonly step: StepName;
  readonly detail: Detail;
}

export interface InterfaceReport {
  readonly role: Role;
  readonly mac: string;
  readonly address?: string;
  readonly name?: string;
  readonly done: boolean;
  /** Where it hangs and why, when it is not done. */
  readonly hangsIn?: StepName;
  readonly because?: string;
  readonly timeline: readonly Step[];
}

export interface MachineReport {
  readonly name: string;
  readonly serial: string;
  readonly done: boolean;
  /** From its power-on to its last interface's last step. */
  readonly ms: number;
  readonly interfaces: readonly InterfaceReport[];
}

export interface RackReport {
  readonly machines: readonly MachineReport[];
  readonly done: number;
  readonly ms: number;
  /** How long a machine's patience was stretched at most, because this process had not read its answer yet. */
  readonly behindMs: number;
}
