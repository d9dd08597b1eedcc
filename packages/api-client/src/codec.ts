import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Action, type Arch, type BootEvent, EVENT_KINDS, type EventKind, type MachineState } from "./api.ts";
import { Action as WireAction, Arch as WireArch, MachineState as WireState } from "./gen/firstlight/v1/boot_pb.js";
import type { Event, EventSchema } from "./gen/firstlight/v1/event_pb.js";

/** Plain words ⇄ the contract's numbers. Add a row, not a branch. */
export const ARCHES = {
  bios: WireArch.X86_BIOS,
  x86_64: WireArch.X86_64,
  arm64: WireArch.ARM64,
} as const satisfies Record<Arch, WireArch>;

export const ACTIONS = {
  discover: WireAction.DISCOVER,
  tenant: WireAction.TENANT,
  "local-disk": WireAction.LOCAL_DISK,
  cleanup: WireAction.CLEANUP,
  wait: WireAction.WAIT,
} as const satisfies Record<Action, WireAction>;

export const STATES = {
  discovered: WireState.DISCOVERED,
  booting: WireState.BOOTING,
  ready: WireState.READY,
  assigned: WireState.ASSIGNED,
  cleaning: WireState.CLEANING,
} as const satisfies Record<MachineState, WireState>;

/** The word of a number in one of the tables above; undefined for a number newer than this code. */
export function wordOf<W extends string>(table: Readonly<Record<W, number>>, number: number): W | undefined {
  return (Object.keys(table) as W[]).find((word) => table[word] === number);
}

export function isEventKind(kind: string): kind is EventKind {
  return Object.hasOwn(EVENT_KINDS, kind);
}

export function eventToWire(event: BootEvent): MessageInitShape<typeof EventSchema> {
  const { at, detail, ...same } = event;
  return { ...same, at: timestampFromMs(at), detail: { ...detail } };
}

/** Undefined for a kind that this code does not know. */
export function eventFromWire(event: Event): BootEvent | undefined {
  if (!isEventKind(event.kind)) return undefined;
  return {
    id: event.id,
    at: event.at ? Math.trunc(timestampMs(event.at)) : 0,
    kind: event.kind,
    ...(event.mac && { mac: event.mac }),
    ...(event.address && { address: event.address }),
    ...(event.because && { because: event.because }),
    ...(event.trace && { trace: event.trace }),
    ...(Object.keys(event.detail).length > 0 && { detail: event.detail }),
  };
}
