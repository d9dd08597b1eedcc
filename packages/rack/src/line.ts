import type { Endpoint } from "@firstlight/datagram";
import type { Clock } from "@firstlight/service";
import type { Mac } from "@firstlight/wire";
import type { Relay } from "./relay.ts";
import type { Detail, StepName } from "./timeline.ts";

/** One interface of one machine with power on: all that its firmware and systems can reach. */
export interface Line {
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
  /** How far a boot goes. */
  readonly until: "script" | "system";
  /** Aborted when the rack's time is over: no wait outlives it. */
  readonly signal: AbortSignal;
  tell(step: StepName, detail?: Detail): void;
}

/** What is the same for every machine, because a laboratory's ports are not the standard's. */
export interface Servers {
  readonly dhcp: Endpoint;
  readonly tftpPort: number;
  readonly dns: Endpoint;
}

/** A boot that cannot go on: an end of its timeline, not a fault of the rack. */
export class BootFailed extends Error {
  readonly code = "FL_BOOT_FAILED";
}
