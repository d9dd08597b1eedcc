import { once } from "node:events";
import type { Writable } from "node:stream";
import { columnWidths, json, tableHead, tableLine } from "./print.ts";

/** What a list shows of a row. */
export interface Columns<T> {
  readonly head: readonly string[];
  readonly cells: (row: T) => readonly string[];
}

/**
 * Writes rows page by page, as a table or as one JSON array, and holds one page at a time. Columns are as wide as the first
 * page needs; a wider cell of a later page moves the rest of its line.
 */
export async function printList<T>(
  pages: AsyncIterable<readonly T[]>,
  columns: Columns<T>,
  options: { readonly json?: boolean },
  out: Writable = process.stdout,
): Promise<void> {
  const texts = options.json === true ? jsonTexts(pages) : tableTexts(pages, columns);
  for await (const text of texts) if (!out.write(text)) await once(out, "drain");
}

async function* tableTexts<T>(pages: AsyncIterable<readonly T[]>, { head, cells }: Columns<T>): AsyncGenerator<string> {
  let widths: readonly number[] | undefined;
  for await (const page of pages) {
    const rows = page.map(cells);
    if (!widths) {
      widths = columnWidths([head, ...rows]);
      yield `${tableHead(head, widths)}\n`;
    }
    for (const row of rows) yield `${tableLine(row, widths)}\n`;
  }
  if (!widths) yield `${tableHead(head, columnWidths([head]))}\n`;
}

/** The same text as of all rows at once. */
async function* jsonTexts(pages: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  let isEmpty = true;
  for await (const page of pages) {
    for (const row of page) {
      yield `${isEmpty ? "[" : ","}\n  ${json(row).replaceAll("\n", "\n  ")}`;
      isEmpty = false;
    }
  }
  yield isEmpty ? "[]\n" : "\n]\n";
}
