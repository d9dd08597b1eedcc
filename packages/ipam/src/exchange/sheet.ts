/** What is exchanged, in plain text: a sheet of one kind, a line per row, a cell per column. */
export interface Line {
  /** Where it was read: the row of a spreadsheet (the head is row 1), the n-th item of a list. */
  readonly row: number;
  readonly cells: Cells;
}

/** Each value in its one form; "" is none. A column that is missing was not written. */
export type Cells = Readonly<Record<string, string>>;

/** What is wrong, and where; without a row the whole sheet is meant. */
export interface Fault {
  readonly row?: number;
  readonly column?: string;
  readonly because: string;
}

/** Bounds of one sheet. An import holds back new leases while it is written, so it is no place for a database dump. */
export const BOUNDS = { characters: 16_000_000, rows: 100_000, cell: 4_096, faults: 100, shown: 10_000 } as const;

/** A reader of hand-written text learns of more than one fault at a time, but not of thousands. */
export function few(faults: readonly Fault[]): Fault[] {
  if (faults.length <= BOUNDS.faults) return [...faults];
  return [...faults.slice(0, BOUNDS.faults), { because: `and ${faults.length - BOUNDS.faults} more` }];
}

/** `row 7, column vlan: want …`. */
export function faultText({ row, column, because }: Fault): string {
  const where = [row !== undefined && `row ${row}`, column !== undefined && `column ${column}`].filter(Boolean);
  return where.length === 0 ? because : `${where.join(", ")}: ${because}`;
}
