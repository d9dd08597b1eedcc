import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Shelf } from "../src/shelf.ts";

const answered = (bytes: number, seconds = 1_700_000_000) => ({
  "content-length": bytes,
  "last-modified": new Date(seconds * 1000).toUTCString(),
  etag: 'W/"one"',
  "x-other": "of that answer alone",
});

/** A folder with old files, a shelf of 1000 bytes over it, and a clock that stands until it is moved. */
function open(...names: readonly string[]) {
  const root = mkdtempSync(join(tmpdir(), "firstlight-shelf-"));
  let now = 0;
  const put = (name: string, text: string, seconds = 1_700_000_000): void => {
    writeFileSync(join(root, name), text);
    utimesSync(join(root, name), seconds, seconds);
  };
  for (const name of names) put(name, name.repeat(100));
  const shelf = new Shelf(root, 1000, () => now);
  return {
    root,
    shelf,
    put,
    pass: (ms: number) => (now += ms),
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  };
}

test("what was answered whole is answered from memory, with what holds of its headers", async () => {
  using on = open("abc");
  assert.equal(on.shelf.find("abc"), undefined);
  await on.shelf.learn("abc", answered(300));
  const found = await on.shelf.find("abc");
  assert.equal(found?.content.toString(), "abc".repeat(100));
  assert.deepEqual(Object.keys(found.headers).toSorted(), ["content-length", "etag", "last-modified"]);
  assert.ok(!(on.shelf.find("abc") instanceof Promise), "within the half second nobody looks at the disk");
});

test("a file that changed or went is not answered from memory half a second later", async () => {
  using on = open("abc");
  await on.shelf.learn("abc", answered(300));
  assert.ok(await on.shelf.find("abc"));
  on.put("abc", "new");
  on.pass(501);
  assert.equal(await on.shelf.find("abc"), undefined);
  assert.equal(on.shelf.find("abc"), undefined);
});

test("it learns nothing of another file than the one that was answered, and nothing that is too large or too young", async () => {
  using on = open("abc");
  await on.shelf.learn("abc", answered(299));
  await on.shelf.learn("abc", answered(300, 1_600_000_000));
  on.put("large", "x".repeat(501));
  await on.shelf.learn("large", answered(501));
  const now = Math.floor(Date.now() / 1000);
  on.put("young", "young", now);
  await on.shelf.learn("young", answered(5, now));
  await on.shelf.learn("absent", answered(300));
  for (const path of ["abc", "large", "young", "absent"]) assert.equal(on.shelf.find(path), undefined);
});

test("the least recently used leaves when there is no room", async () => {
  using on = open("a", "b", "cccc", "dddd", "eeee");
  for (const [path, bytes] of [
    ["cccc", 400],
    ["dddd", 400],
  ] as const)
    await on.shelf.learn(path, answered(bytes));
  assert.ok(await on.shelf.find("cccc"));
  assert.ok(await on.shelf.find("dddd"));
  on.pass(501);
  assert.ok(await on.shelf.find("cccc"));
  await on.shelf.learn("eeee", answered(400));
  assert.equal(on.shelf.find("dddd"), undefined);
  assert.ok(await on.shelf.find("cccc"));
  assert.ok(await on.shelf.find("eeee"));
});
