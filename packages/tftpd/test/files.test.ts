import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { asyncProperty, assert as holds, constantFrom, array, oneof, property, string } from "fast-check";
import { type BootFile, netasciiOf } from "../src/file.ts";
import { Files } from "../src/files.ts";
import { normalise } from "../src/name.ts";
import { toNetascii } from "../src/netascii.ts";

const LONG_AGO = 1_700_000_000;
const LATER = (LONG_AGO + 3600) * 1000;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const latin = (characters: string): Uint8Array => Uint8Array.from(Buffer.from(characters, "latin1"));

/** A served folder `root` beside a secret that must never leave. */
async function folder(cache = { fileBytes: 1000, totalBytes: 2500 }) {
  const dir = await mkdtemp(join(tmpdir(), "firstlight-files-"));
  const root = join(dir, "root");
  await mkdir(join(root, "grub"), { recursive: true });
  await writeFile(join(dir, "secret"), "secret");
  await mkdir(join(dir, "root-of-another"));
  await writeFile(join(dir, "root-of-another", "secret"), "secret");
  return {
    dir,
    root,
    files: new Files(root, cache, () => LATER),
    async put(name: string, content: string, seconds = LONG_AGO) {
      await writeFile(join(root, name), content);
      await utimes(join(root, name), seconds, seconds);
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}

async function contentOf(file: BootFile | string): Promise<string> {
  if (typeof file === "string") return `refused: ${file}`;
  await using open = file;
  const content = new Uint8Array(open.bytes);
  assert.equal(await open.read(content, 0), open.bytes);
  return text(content);
}

test("names as firmware sends them: slashes that mean nothing, a trace in front, and nothing that could leave", () => {
  const trace = "0123456789abcdef0123456789abcdef";
  const VECTORS: Readonly<Record<string, object>> = {
    "snponly.efi": { is: "name", path: "snponly.efi" },
    "/grub//arm64-efi/fs.lst": { is: "name", path: "grub/arm64-efi/fs.lst" },
    [`t/${trace}/undionly.kpxe`]: { is: "name", path: "undionly.kpxe", trace },
    [`//t/${trace}//a`]: { is: "name", path: "a", trace },
    "t/0123/a": { is: "name", path: "t/0123/a" },
    "../secret": { is: "refused", because: "name-leaves-root" },
    [`t/${trace}/../../secret`]: { is: "refused", because: "name-leaves-root" },
    "..\\secret": { is: "refused", because: "name-forbidden-characters" },
    "a\0b": { is: "refused", because: "name-forbidden-characters" },
    "a\u00ff": { is: "refused", because: "name-forbidden-characters" },
    ".git/config": { is: "refused", because: "name-hidden" },
    "grub/": { is: "refused", because: "name-hidden" },
    "/": { is: "refused", because: "name-hidden" },
    ["a".repeat(256)]: { is: "refused", because: "name-too-long" },
  };
  for (const [name, meaning] of Object.entries(VECTORS)) assert.deepEqual(normalise(name), meaning, name);
});

const piece = oneof(constantFrom("..", ".", "/", "//", "\\", "\0", "t/", "root", "secret", "grub", "%2e%2e"), string());
const nasty = array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

test("law: a name is relative and names no parent, whatever was asked", () => {
  holds(
    property(nasty, (requested) => {
      const name = normalise(requested);
      if (name.is === "refused") return;
      assert.ok(
        !name.path.startsWith("/") && !name.path.split("/").some((part) => part === "" || part.startsWith(".")),
      );
    }),
  );
});

test("law: no path leads to the secret, not even one that was not normalised", async () => {
  await using on = await folder();
  await symlink(join(on.dir, "secret"), join(on.root, "link"));
  await symlink("..", join(on.root, "up"));
  const path = oneof(
    nasty,
    constantFrom("link", "up/secret", "../secret", "../root-of-another/secret", "grub/../../secret"),
  );
  await holds(
    asyncProperty(path, async (asked) => assert.notEqual(await contentOf(await on.files.open(asked)), "secret")),
    { numRuns: 300 },
  );
  assert.equal(await on.files.open("link"), "file-leaves-root");
  assert.equal(await on.files.open("up/secret"), "file-leaves-root");
  assert.equal(await on.files.open("../root-of-another/secret"), "file-leaves-root");
});

test("a link inside the root is followed; folders, pipes and what is not there are refused with their reason", async () => {
  await using on = await folder();
  await on.put("snponly.efi", "ipxe");
  await symlink("../snponly.efi", join(on.root, "grub", "bootx64.efi"));
  execFileSync("mkfifo", [join(on.root, "pipe")]);
  await symlink("loop", join(on.root, "loop"));
  assert.equal(await contentOf(await on.files.open("grub/bootx64.efi")), "ipxe");
  assert.equal(await on.files.open("grub"), "not-a-regular-file");
  assert.equal(await on.files.open("pipe"), "not-a-regular-file");
  assert.equal(await on.files.open("nothing"), "no-such-file");
  assert.equal(await on.files.open("snponly.efi/x"), "no-such-file");
  assert.equal(typeof (await on.files.open("loop")), "string");
});

test("a root that is not there yet serves nothing, and serves once it is there", async () => {
  await using on = await folder();
  await rename(on.root, `${on.root}-away`);
  assert.equal(await on.files.open("a"), "no-such-file");
  await rename(`${on.root}-away`, on.root);
  await on.put("a", "here");
  assert.equal(await contentOf(await on.files.open("a")), "here");
});

test("a small file is kept in memory, and read again once it has changed", async () => {
  await using on = await folder();
  await on.put("a", "one");
  assert.deepEqual(await Promise.all([1, 2, 3].map(async () => contentOf(await on.files.open("a")))), [
    "one",
    "one",
    "one",
  ]);
  assert.equal(on.files.cachedBytes, 3);
  await on.put("a", "two"); // as long, and no newer: only ctime tells
  assert.equal(await contentOf(await on.files.open("a")), "two");
  await rm(join(on.root, "a"));
  assert.equal(await on.files.open("a"), "no-such-file");
});

test("what is kept is bounded, and large or just written files are read from disk", async () => {
  await using on = await folder();
  for (const name of ["a", "b", "c", "d"]) await on.put(name, name.repeat(900));
  for (const name of ["a", "b", "a", "c", "d"]) await contentOf(await on.files.open(name));
  assert.equal(on.files.cachedBytes, 1800, "two of 900 fit into 2500");
  await on.put("large", "x".repeat(1001));
  assert.equal((await contentOf(await on.files.open("large"))).length, 1001);
  await on.put("young", "y", LATER / 1000);
  assert.equal(await contentOf(await on.files.open("young")), "y");
  assert.equal(on.files.cachedBytes, 1800);
});

test("a reader keeps the file it opened; one that is cut short under it is noticed", async () => {
  await using on = await folder();
  await on.put("a", "x".repeat(2000));
  const file = await on.files.open("a");
  assert.ok(typeof file !== "string");
  await using open = file;
  await on.put("new", "n");
  await rename(join(on.root, "new"), join(on.root, "a"));
  assert.equal(await open.read(new Uint8Array(2000), 0), 2000);
  await on.put("b", "x".repeat(2000));
  const cut = await on.files.open("b");
  assert.ok(typeof cut !== "string");
  await using short = cut;
  await truncate(join(on.root, "b"), 10);
  assert.equal(await short.read(new Uint8Array(2000), 0), 10);
});

test("netascii: a line feed is CR LF, a carriage return is CR NUL, and only what fits into memory is converted", async () => {
  assert.equal(text(toNetascii(latin("a\nb\rc\r\n"))), "a\r\nb\r\0c\r\0\r\n");
  await using on = await folder();
  await on.put("menu", "a\nb");
  const menu = await on.files.open("menu");
  assert.ok(typeof menu !== "string");
  assert.equal(await contentOf(await netasciiOf(menu, 100)), "a\r\nb");
  const again = await on.files.open("menu");
  assert.ok(typeof again !== "string");
  assert.equal(await netasciiOf(again, 2), "file-too-large-for-netascii");
});
