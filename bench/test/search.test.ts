import assert from "node:assert/strict";
import { test } from "node:test";
import { highestRate } from "../dhcp/search.ts";

/** A server that holds rates up to `limit` and pauses in the attempts with these numbers. */
async function search(limit: number, pauses: readonly number[] = []) {
  const tried: number[] = [];
  const attempt = async (rate: number): Promise<number | undefined> => {
    tried.push(Math.round(rate));
    return rate <= limit && !pauses.includes(tried.length) ? rate : undefined;
  };
  const found = await highestRate({ start: 100, factor: 2, maxRate: 10_000, attempt });
  return { found: found && Math.round(found), tried };
}

test("the rate is raised while it holds, then tried once between the last two", async () => {
  assert.deepEqual(await search(600), { found: 566, tried: [100, 200, 400, 800, 800, 566] });
  assert.equal((await search(500)).found, 400);
});

test("a rate that fails is tried once more", async () => {
  assert.deepEqual(await search(600, [2, 4]), { found: 566, tried: [100, 200, 200, 400, 400, 800, 800, 566] });
});

test("a server slower than the first rate is found; the search gives up on one without any rate", async () => {
  assert.deepEqual(await search(30), { found: 25, tried: [100, 100, 25] });
  const { found, tried } = await search(0);
  assert.deepEqual([found, tried.length], [undefined, 10]);
});
