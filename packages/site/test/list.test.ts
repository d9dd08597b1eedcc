import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { printList } from "../src/list.ts";
import { json, table } from "../src/print.ts";

interface Row {
  readonly name: string;
  readonly size: number;
}
const COLUMNS = { head: ["NAME", "SIZE"], cells: ({ name, size }: Row) => [name, String(size)] };

/** Where a list is written to: slower than what is listed. */
class Slow extends Writable {
  text = "";
  constructor() {
    super({ highWaterMark: 64 });
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    setImmediate(done);
  }
}

// eslint-disable-next-line typescript/require-await
async function* pagesOf(...pages: readonly (readonly Row[])[]): AsyncGenerator<readonly Row[]> {
  yield* pages;
}

async function listed(json: boolean, ...pages: readonly (readonly Row[])[]): Promise<string> {
  const out = new Slow();
  await printList(pagesOf(...pages), COLUMNS, { json }, out);
  await new Promise<void>((done) => void out.end(done));
  return out.text;
}

const FIRST = [
  { name: "a", size: 1 },
  { name: "bcdefg", size: 22 },
];
const SECOND = [{ name: "longer than the page before", size: 3 }];

test("columns are as wide as the first page needs, and a wider cell later moves its own line only", async () => {
  assert.equal(
    await listed(false, FIRST, SECOND, FIRST),
    "NAME    SIZE\na       1\nbcdefg  22\nlonger than the page before  3\na       1\nbcdefg  22\n",
  );
});

test("a list of nothing is its head, or an empty array", async () => {
  assert.deepEqual(
    [await listed(false, []), await listed(false), await listed(true, []), await listed(true)],
    ["NAME  SIZE\n", "NAME  SIZE\n", "[]\n", "[]\n"],
  );
});

test("JSON of pages is the JSON of all rows at once", async () => {
  assert.equal(await listed(true, FIRST, [], SECOND), `${json([...FIRST, ...SECOND])}\n`);
});

test("the next page is asked for once the page before is written", async () => {
  const out = new Slow();
  const written: number[] = [];
  async function* pages(): AsyncGenerator<readonly Row[]> {
    for (let n = 0; n < 4; n++) {
      written.push(out.text.split("\n").length - 1);
      yield Array.from({ length: 100 }, (_, i) => ({ name: `row-${n}-${i}`, size: i }));
      await Promise.resolve();
    }
  }
  await printList(pages(), COLUMNS, {}, out);
  written.forEach((lines, n) => assert.ok(lines >= n * 100 - 10, `page ${n} was asked for after ${lines} lines`));
});

test("a table of 300,000 rows is printed", () => {
  const rows = Array.from({ length: 300_000 }, (_, n) => [String(n), "x"]);
  assert.equal(
    table([["N", "X"], ...rows])
      .split("\n")
      .at(-1),
    "299999  x",
  );
});
