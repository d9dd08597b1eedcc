import { pageSize, textOf } from "./field.ts";

const MAX_TOKEN = 512;

/** The page fields of a list's request. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/**
 * One page of rows, and the token of the next page, which is empty at the end. Rows are in the order of a key that never changes, so that
 * pages neither skip nor repeat a row that stays. `rows` gives the rows after the key in the token; only one row beyond the page is read.
 */
export function page<T>(
  rows: (token: string) => Iterable<T>,
  key: (row: T) => string,
  asked: PageRequest,
): [T[], string] {
  const limit = pageSize(asked.pageSize, 100, 1_000);
  const taken: T[] = [];
  for (const row of rows(textOf(asked.pageToken, "page_token", MAX_TOKEN))) {
    if (taken.length === limit) return [taken, key(taken.at(-1)!)];
    taken.push(row);
  }
  return [taken, ""];
}
