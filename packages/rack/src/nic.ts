import type { Endpoint } from "@firstlight/datagram";
import type { Clock } from "@firstlight/service";
import type { Mac } from "@firstlight/wire";
import type { Relay } from "./relay.ts";
import type { Detail, StepName } from "./timeline.ts";

/** The network interface of a powered machine: everything that its firmware and systems can use. */
export interface Nic {
  readonly mac: Mac;
  readonly serial: string;
  /** The switch port it is plugged into. */
  readonly port: number;
  readonly relay: Relay;
  readonly servers: Servers;
  readonly clock: Clock;
  readonly seed: number;
  /** A seed for the next program: a late reply to the one before must not be taken for an answer to it. */
  nextSeed(): number;
  /** Where a boot ends. */
  readonly until: "script" | "system";
  /** Aborted at the rack's deadline; it ends every wait. */
  readonly signal: AbortSignal;
  record(step: StepName, detail?: Detail): void;
}

/** The servers' addresses, the same for every machine; a laboratory may use other ports than the standard. */
export interface Servers {
  readonly dhcp: Endpoint;
  readonly tftpPort: number;
  readonly dns: Endpoint;
}

/** A boot failed. It ends the machine's attempt; it is not a fault of the rack. */
export class BootFailed extends Error {
  readonly code = "FL_BOOT_FAILED";
}
