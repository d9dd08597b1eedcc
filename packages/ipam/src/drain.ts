import type { PrefixRow, Segment } from "./model.ts";

/** Whether a prefix gives no new address any more: by its own state, or its segment's. */
export function isDraining(segment: Pick<Segment, "state">, row: Pick<PrefixRow, "state">): boolean {
  return segment.state === "draining" || row.state === "draining";
}
