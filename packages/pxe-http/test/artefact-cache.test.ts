import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ArtefactCache } from "../src/artefact-cache.ts";

/** A folder with old files, a cache of 1000 bytes over it, and a clock that stands until it is moved. */
function open(...names: readonly string[]) {
  const root = mkdtempSync(join(tmpdir(), "firstlight-cache-"));
  let now = 0;
  const put = (name: string, text: string, seconds = 1_700_000_000): void => {
    writeFileSync(join(root, name), text);
    utimesSync(join(root, name), seconds, seconds);
  };
  for (const name of names) put(name, name.repeat(100));
  const cache = new ArtefactCache(root, 1000, () => now);
  return {
    root,
    cache,
    put,
    pass: (ms: number) => (now += ms),
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  };
}

test("what was answered whole is answered from memory", async () => {
  using on = open("abc");
  assert.equal(on.cache.find("abc"), undefined);
  await on.cache.learn("abc");
  const found = await on.cache.find("abc");
  assert.equal(found?.content.toString(), "abc".repeat(100));
  assert.equal(found.headers["content-length"], 300);
  assert.ok(!(on.cache.find("abc") instanceof Promise), "within the half second nobody looks at the disk");
  on.pass(501);
  assert.ok(on.cache.find("abc") instanceof Promise);
});

test("a file that changed or went is not answered from memory half a second later", async () => {
  using on = open("abc");
  await on.cache.learn("abc");
  assert.ok(await on.cache.find("abc"));
  on.put("abc", "new");
  on.pass(501);
  assert.equal(await on.cache.find("abc"), undefined);
  assert.equal(on.cache.find("abc"), undefined);
});

test("it keeps nothing that is too large or too young, no folder and no pipe", async () => {
  using on = open();
  on.put("large", "x".repeat(501));
  on.put("young", "young", Math.floor(Date.now() / 1000));
  mkdirSync(join(on.root, "folder"));
  execFileSync("mkfifo", [join(on.root, "pipe")]);
  for (const path of ["large", "young", "folder", "pipe", "absent"]) {
    await on.cache.learn(path);
    assert.equal(on.cache.find(path), undefined, path);
    assert.equal(await on.cache.load(path), undefined, path);
  }
});

test("nothing outside its folder is kept, and a link within it may change its aim", async () => {
  using on = open("one", "two");
  symlinkSync(import.meta.filename, join(on.root, "out"));
  symlinkSync("one", join(on.root, "link"));
  assert.equal(await on.cache.load("out"), undefined);
  assert.equal((await on.cache.load("link"))?.content.toString(), "one".repeat(100));
  rmSync(join(on.root, "link"));
  symlinkSync("two", join(on.root, "link"));
  on.pass(501);
  assert.equal(await on.cache.find("link"), undefined);
  assert.equal((await on.cache.load("link"))?.content.toString(), "two".repeat(100));
});

test("who asks for a small artefact while it is read gets the same one", async () => {
  using on = open("abc");
  const [one, two] = await Promise.all([on.cache.load("abc"), on.cache.load("abc")]);
  assert.ok(one !== undefined && one === two);
  assert.equal(on.cache.find("abc"), one);
});

test("the least recently used leaves when there is no room", async () => {
  using on = open("a", "b", "cccc", "dddd", "eeee");
  for (const path of ["cccc", "dddd"]) await on.cache.learn(path);
  assert.ok(await on.cache.find("cccc"));
  assert.ok(await on.cache.find("dddd"));
  on.pass(501);
  assert.ok(await on.cache.find("cccc"));
  await on.cache.learn("eeee");
  assert.equal(on.cache.find("dddd"), undefined);
  assert.ok(await on.cache.find("cccc"));
  assert.ok(await on.cache.find("eeee"));
});
