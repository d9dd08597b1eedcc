import { isMalformed, Malformed } from "@firstlight/wire";
import { CsvError, parse as parseCsv } from "csv-parse/sync";
import { stringify as stringifyCsv } from "csv-stringify/sync";
import { parse as parseYaml, stringify as stringifyYaml } from "yaml";
import { plainOf, textOf } from "../fields/sheet-column.ts";
import { KINDS, type SheetKind } from "./kinds.ts";
import { BOUNDS, type Cells, type Fault, type Line } from "./sheet.ts";

export const FORMATS = ["csv", "json", "yaml"] as const;
export type Format = (typeof FORMATS)[number];

/** The lines of a text as they are written, not yet judged. */
export interface Read {
  readonly lines: readonly Line[];
  readonly faults: readonly Fault[];
}

/** A sheet's text: every column of its kind, in order. */
export function render(kind: SheetKind, format: Format, rows: readonly Cells[]): string {
  const { columns } = KINDS[kind];
  if (format === "csv") return stringifyCsv([...rows], { header: true, columns: Object.keys(columns) });
  const plain = rows.map((cells) =>
    Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, plainOf(column, cells[name] ?? "")])),
  );
  return format === "json" ? `${JSON.stringify(plain, null, 2)}\n` : stringifyYaml(plain);
}

/** Any text gives lines or faults. */
export function read(format: Format, text: string): Read {
  if (text.length > BOUNDS.characters) return no(`longer than ${BOUNDS.characters} characters: import it in parts`);
  const found = format === "csv" ? readCsv(text) : readList(format, text);
  if (isMalformed(found)) return no(found.because, found.at);
  if (found.lines.length > BOUNDS.rows) return no(`more than ${BOUNDS.rows} rows: import it in parts`);
  return found;
}

const no = (because: string, row = 0): Read => ({ lines: [], faults: [row > 0 ? { row, because } : { because }] });

function readCsv(text: string): Read | Malformed {
  let records: string[][];
  try {
    records = parseCsv(text, { bom: true, relax_column_count: true, skip_empty_lines: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as { readonly lines?: number };
    return new Malformed(`not CSV: ${error.message}`, lines ?? 0);
  }
  const [head, ...rows] = records;
  if (!head) return new Malformed("empty: want at least a head");
  const names = head.map((name) => name.trim());
  const twice = names.find((name, n) => names.indexOf(name) !== n);
  if (twice !== undefined) return new Malformed(`column ${twice} is there twice`, 1);
  const faults: Fault[] = [];
  const lines = rows.map((record, n): Line => {
    if (record.length !== names.length)
      faults.push({ row: n + 2, because: `has ${record.length} cells, the head has ${names.length}` });
    return { row: n + 2, cells: Object.fromEntries(names.map((name, at) => [name, record[at] ?? ""])) };
  });
  return { lines, faults };
}

function readList(format: "json" | "yaml", text: string): Read | Malformed {
  let list: unknown;
  try {
    list = format === "json" ? JSON.parse(text) : parseYaml(text, { maxAliasCount: 0, logLevel: "error" });
  } catch (error) {
    return new Malformed(`not ${format.toUpperCase()}: ${(error as Error).message.split("\n")[0]}`);
  }
  if (list === null || list === undefined) return { lines: [], faults: [] };
  if (!Array.isArray(list)) return new Malformed("want a list of rows");
  const faults: Fault[] = [];
  const lines = list.map((item: unknown, n): Line => {
    const row = n + 1;
    if (typeof item !== "object" || item === null || Array.isArray(item)) {
      faults.push({ row, because: "want fields and their values" });
      return { row, cells: {} };
    }
    const cells: Record<string, string> = {};
    for (const [column, value] of Object.entries(item)) {
      const text = textOf(value);
      if (text === undefined)
        faults.push({ row, column, because: "want text, a number, yes or no, or a list of text" });
      else cells[column] = text;
    }
    return { row, cells };
  });
  return { lines, faults };
}
