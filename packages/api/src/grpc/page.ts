import { pageSize, textOf } from "./field.ts";

const MAX_TOKEN = 512;

/** What a list's request says about the page it wants. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/**
 * One page of rows in the order of a key that never changes, so that pages neither skip nor repeat what stays; and the token
 * of the next one, empty at the end. `rows` reads on from the key that the token says, and no further than the page goes.
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
