import { isMalformed } from "@firstlight/wire";
import { canonical } from "../fields/sheet-column.ts";
import { KINDS, type SheetKind } from "./kinds.ts";
import type { CellFault } from "./cell-fault.ts";
import { BOUNDS, type Cells, type Fault, type Line } from "./sheet.ts";

/** What a row becomes: beside a row that is there already, or as a new one. */
export interface Wanted {
  readonly row: number;
  readonly key: string;
  /** Every column of the kind. */
  readonly cells: Cells;
  readonly changed: readonly Changed[];
  readonly isNew: boolean;
}

export interface Changed {
  readonly column: string;
  readonly before: string;
  readonly after: string;
}

/** Every cell in its one form; what is not a column of the kind, missing, or not what the column holds is a fault. */
export function judge(kind: SheetKind, lines: readonly Line[]): { lines: Line[]; faults: Fault[] } {
  const { columns } = KINDS[kind];
  const faults: Fault[] = [];
  const strange = new Set<string>();
  const judged = lines.map(({ row, cells: written }): Line => {
    const cells: Record<string, string> = {};
    for (const [name, text] of Object.entries(written)) {
      const column = Object.hasOwn(columns, name) ? columns[name]! : undefined;
      if (!column) {
        if (!strange.has(name)) faults.push({ row, column: name, because: unknown(kind) });
        strange.add(name);
        continue;
      }
      const value = text.length > BOUNDS.cell ? undefined : canonical(column, text);
      if (value === undefined) faults.push({ row, column: name, because: `longer than ${BOUNDS.cell} characters` });
      else if (isMalformed(value)) faults.push({ row, column: name, because: value.because });
      else cells[name] = value;
    }
    for (const [name, { is }] of Object.entries(columns))
      if (is === "key" && written[name] === undefined) faults.push({ row, column: name, because: "is missing" });
    return { row, cells };
  });
  return { lines: judged, faults };
}

const unknown = (kind: SheetKind): string =>
  `is no column of ${kind}: want ${Object.keys(KINDS[kind].columns).join(", ")}`;

/** The lines beside what is there: what each row would be, and what that changes. */
export function compare(
  kind: SheetKind,
  before: ReadonlyMap<string, Cells>,
  lines: readonly Line[],
  keyOf: (cells: Cells) => string,
): { wanted: Wanted[]; faults: Fault[] } {
  const { columns, oneOf = [], check, settle, unique } = KINDS[kind];
  const faults: Fault[] = [];
  const seen = new Map<string, number>();
  const wanted = lines.map(({ row, cells: written }): Wanted => {
    const key = keyOf(written);
    const old = before.get(key);
    const twice = (what: string): void => {
      const first = seen.get(what);
      if (first !== undefined) faults.push({ row, because: `${what} is in row ${first} already` });
      else seen.set(what, row);
    };
    twice(key);
    const isSaid = oneOf.some((name) => (written[name] ?? "") !== "");
    const filled = Object.fromEntries(
      Object.entries(columns).map(([name, { otherwise = "", isKept }]) => [
        name,
        (isKept === true ? written[name] || undefined : written[name]) ??
          (isSaid && oneOf.includes(name) ? "" : (old?.[name] ?? otherwise)),
      ]),
    );
    const missing = Object.keys(columns).filter((name) => columns[name]!.is === "required" && filled[name] === "");
    for (const column of missing) faults.push({ row, column, because: "is missing" });
    const fault = missing.length === 0 ? check?.(filled) : undefined;
    if (fault) faults.push({ row, ...fault });
    const settled = missing.length === 0 && !fault ? (settle?.(filled) ?? filled) : filled;
    const cells = isFault(settled) ? filled : settled;
    if (isFault(settled)) faults.push({ row, ...settled });
    if (unique && missing.length === 0 && !fault) twice(unique(cells));
    const changed = Object.keys(columns)
      .filter((column) => cells[column] !== (old?.[column] ?? ""))
      .map((column) => ({ column, before: old?.[column] ?? "", after: cells[column]! }));
    return { row, key, cells, changed, isNew: old === undefined };
  });
  return { wanted, faults };
}

const isFault = (settled: Cells | CellFault): settled is CellFault => "because" in settled;
