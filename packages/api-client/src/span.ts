import type { Context } from "@firstlight/service";
import type { BootEvent, EventKind } from "./api.ts";

/** Kinds that are told at their end, and the detail that says how many milliseconds they took. */
const LASTED: Partial<Record<EventKind, string>> = { "tftp.end": "ms" };

/** The event as a span of its boot's trace; one that belongs to no boot has none. */
export function traceEvent(traces: Context<unknown>["traces"], event: BootEvent): void {
  const { trace, kind, at } = event;
  if (traces === undefined || trace === undefined) return;
  traces.span({ trace, name: kind, from: at - lastedMs(event), to: at, attributes: attributesOf(event) });
}

function lastedMs({ kind, detail }: BootEvent): number {
  const ms = Number(detail?.[LASTED[kind] ?? ""] ?? 0);
  return ms > 0 && Number.isFinite(ms) ? ms : 0;
}

function attributesOf({ mac, address, because, detail = {} }: BootEvent): Record<string, string> {
  return {
    ...(mac !== undefined && { "machine.mac": mac }),
    ...(address !== undefined && { "machine.address": address }),
    ...(because !== undefined && { because }),
    ...Object.fromEntries(Object.entries(detail).map(([key, value]) => [`detail.${key}`, value])),
  };
}
