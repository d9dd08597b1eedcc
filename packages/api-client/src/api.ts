/**
 * What the daemons ask of the API service, in plain values: the gRPC client implements it, and so does the fake of the
 * tests. Every call has a deadline and its own retries; a call that still fails rejects with an `ApiUnavailable`.
 */
export interface Api {
  decide(request: DecideRequest): Promise<Decision>;
  phoneHome(request: PhoneHome): Promise<{ readonly machineId: string; readonly state: MachineState }>;
  report(events: readonly BootEvent[], position?: FeedPosition): Promise<void>;
  feedPosition(): Promise<FeedPosition | undefined>;
}

/** The API could not be reached, or refused for a reason of its own, within the deadline. */
export class ApiUnavailable extends Error {
  readonly code = "FL_API_UNAVAILABLE";
}

/** The API knows no machine with this identity: an expected no. */
export class UnknownMachine extends Error {
  readonly code = "FL_UNKNOWN_MACHINE";
}

export type Arch = "bios" | "x86_64" | "arm64";
export type Action = "discover" | "tenant" | "local-disk" | "cleanup" | "wait";
export type MachineState = "discovered" | "booting" | "ready" | "assigned" | "cleaning";

export interface DecideRequest {
  /** The requester's address and the MAC its lease is bound to, as the network proved them. */
  readonly address: string;
  readonly mac: string;
  readonly arch?: Arch;
  readonly trace?: string;
}

export interface Decision {
  readonly machineId: string;
  readonly machineName: string;
  /** Grows with each change of the machine: a decision is never used past its version. */
  readonly version: number;
  readonly action: Action;
  readonly role: string;
  /** Why, as a sentence for a console. */
  readonly because: string;
  /** The code of that reason, of the API's table. */
  readonly reason: string;
  /** Body of the tenant's iPXE script, when the action is `tenant`. */
  readonly script?: string;
  readonly userData?: string;
  /** Proof that this very decision was fetched; the booted system brings it along when it phones home. */
  readonly token: string;
}

export interface PhoneHome {
  readonly address: string;
  readonly mac: string;
  readonly detail: Readonly<Record<string, string>>;
  readonly trace?: string;
  readonly token: string;
}

export interface FeedPosition {
  readonly epoch: string;
  readonly position: number;
}

/** One entry of the flight recorder. */
export interface BootEvent {
  /** Idempotency key, unique for ever. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: EventKind;
  readonly mac?: string;
  readonly address?: string;
  readonly because?: string;
  readonly trace?: string;
  readonly detail?: Readonly<Record<string, string>>;
}

/** Every kind of event, and what it means in a timeline. */
export const EVENT_KINDS = {
  "dhcp.discover": "asked for an address",
  "dhcp.offer": "was offered an address",
  "dhcp.ack": "holds an address (from the lease's change row)",
  "dhcp.nak": "was refused an address",
  "dhcp.release": "gave its address back (from the lease's change row)",
  "dhcp.decline": "found its address in use (from the lease's change row)",
  "dhcp.inform": "asked for options",
  "dhcp.silence": "was not answered",
  "interface.promoted": "came where it was predicted (from the arrival's change row)",
  "interface.moved": "moved to another segment (from the arrival's change row)",
  "interface.alternates": "is on two segments at once (from the arrival's change row)",
  "tftp.start": "began a transfer",
  "tftp.end": "ended a transfer",
  "tftp.refused": "was refused a file",
  "pxe.script": "fetched its boot script",
  "pxe.wait": "was told to wait and ask again",
  "pxe.artefact": "fetched an artefact",
  "pxe.refused": "was refused over HTTP",
  "pxe.cloud-init": "fetched cloud-init data",
  "pxe.phone-home": "its system is up",
  "machine.state": "moved to another state",
} as const;

export type EventKind = keyof typeof EVENT_KINDS;

/** An event to report. The reporter adds the id, and the time where it is absent. */
export type NewEvent = Omit<BootEvent, "id" | "at"> & { readonly at?: number };

/**
 * Tells the API what happened, without ever making a packet wait: a bounded spool sends in batches, at least once, in
 * order per machine, with back-off; what overflows is counted and the oldest goes first.
 */
export interface Reporter {
  report(event: NewEvent): void;
  /** Waits until everything told so far is acknowledged, or the time is over; says how many are left. */
  flush(timeoutMs: number): Promise<number>;
}
