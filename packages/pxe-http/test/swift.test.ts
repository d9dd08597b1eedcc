import assert from "node:assert/strict";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lab, NOBODY, ONE, TRACE } from "./lab.ts";

const PATH = `/t/${TRACE}/artefacts/discovery/kernel`;

const bare = ({ date: _date, ...headers }: Record<string, unknown>) => headers;

/** Puts an old file there, fetches it once, and gives it time to be learnt. */
async function warm(on: Awaited<ReturnType<typeof lab>>, content: Uint8Array) {
  const file = join(on.stateDir, "artefacts/discovery/kernel");
  writeFileSync(file, content);
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  const first = await on.ask(PATH, { from: ONE.address });
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setTimeout(resolve, 1)); // it is learnt
  return first;
}

test("an artefact from memory is answered as from disk: bytes, headers, event, and the same no for strangers", async () => {
  for (const length of [0, 1, 5000, 3_000_000]) {
    await using on = await lab();
    const content = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
    const first = await warm(on, content);
    const again = await on.ask(PATH, { from: ONE.address });
    assert.deepEqual(bare(again.headers), bare(first.headers));
    assert.ok(again.bytes.equals(content));
    const { etag } = (await on.ask(PATH, { from: ONE.address })).headers;
    assert.equal((await on.ask(PATH, { from: ONE.address, headers: { "if-none-match": etag! } })).code, 304);
    if (length > 10) assert.equal((await on.ask(PATH, { headers: { range: "bytes=0-9" } })).bytes.length, 10);
    assert.equal((await on.ask(PATH, { from: NOBODY })).code, 403);
    assert.equal((await on.ask(PATH, { from: ONE.address, method: "HEAD" })).code, 200);
    const told = on.reporter.of("pxe.artefact").filter(({ detail }) => detail?.["bytes"] === String(length));
    assert.ok(told.length >= 2);
    for (const { mac, address, trace } of told) assert.deepEqual({ mac, address, trace }, { ...ONE, trace: TRACE });
  }
});

test("the limit of requests holds for what is in memory", async () => {
  await using on = await lab({ perClient: { perSecond: 1, burst: 4 } });
  await warm(on, new Uint8Array(100));
  const codes: number[] = [];
  for (let n = 0; n < 6; n++) codes.push((await on.ask(PATH, { from: ONE.address })).code);
  assert.deepEqual(codes, [200, 200, 200, 429, 429, 429]);
});
