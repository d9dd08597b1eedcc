import { isMalformed } from "@firstlight/wire";
import type { PoolKind } from "../pool/slot.ts";
import { readRange, showRange, type SlotRange } from "../pool/slot.ts";
import { plainOf, textOf } from "../fields/sheet-column.ts";
import type { CellFault } from "./cell-fault.ts";
import type { Cells } from "./sheet.ts";

/** A pool's ranges as the database has them: in order, what overlaps or meets as one. */
export function poolRanges(cells: Cells): Cells | CellFault {
  const settled: Record<string, string> = { ...cells };
  const form = { is: cells["kind"] as PoolKind, length: cells["length"] ? Number(cells["length"]) : undefined };
  for (const column of ["ranges", "excluded"]) {
    const ranges: SlotRange[] = [];
    for (const text of (plainOf({ form: "list" }, cells[column] ?? "") as readonly string[] | null) ?? []) {
      const range = readRange(form, text);
      if (isMalformed(range)) return { column, because: range.because };
      ranges.push(range);
    }
    settled[column] = textOf(merged(ranges).map((range) => showRange(form, range)))!;
  }
  return settled;
}

function merged(ranges: readonly SlotRange[]): SlotRange[] {
  const all: SlotRange[] = [];
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const last = all.at(-1);
    if (!last || last.end < range.first) all.push(range);
    else if (last.end < range.end) all[all.length - 1] = { first: last.first, end: range.end };
  }
  return all;
}
