import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { lab, NOBODY, ONE, until } from "./lab.ts";

const EFI = "/artefacts/ipxe/snponly.efi";

test("HEAD says what GET would: length, type, ETag, ranges", async () => {
  await using site = await lab();
  const [head, got] = [await site.ask(EFI, { method: "HEAD" }), await site.ask(EFI)];
  assert.equal(head.bytes.length, 0);
  for (const name of ["content-length", "content-type", "etag", "last-modified", "accept-ranges", "cache-control"]) {
    assert.ok(head.headers[name], name);
    assert.equal(head.headers[name], got.headers[name], name);
  }
});

test("ranges: inside, suffix, beyond the end, several, and stale ones", async () => {
  await using site = await lab();
  const whole = (await site.ask(EFI)).bytes;
  const range = (range: string, more = {}) => site.ask(EFI, { headers: { range, ...more } });
  const inside = await range("bytes=100-199");
  assert.equal(inside.code, 206);
  assert.equal(inside.headers["content-range"], "bytes 100-199/3000");
  assert.deepEqual(inside.bytes, whole.subarray(100, 200));
  assert.deepEqual((await range("bytes=-10")).bytes, whole.subarray(2990));
  const beyond = await range("bytes=3000-");
  assert.equal(beyond.code, 416);
  assert.equal(beyond.headers["content-range"], "bytes */3000");
  assert.deepEqual((await range("bytes=0-1,5-6")).bytes, whole);
  assert.deepEqual((await range("bytes=0-1", { "if-range": 'W/"other"' })).bytes, whole);
});

test("what has not changed is not sent again", async () => {
  await using site = await lab();
  const { etag, "last-modified": since } = (await site.ask(EFI)).headers;
  assert.equal((await site.ask(EFI, { headers: { "if-none-match": etag! } })).code, 304);
  assert.equal((await site.ask(EFI, { headers: { "if-modified-since": since! } })).code, 304);
  assert.equal((await site.ask(EFI, { headers: { "if-match": '"other"' } })).code, 412);
});

test("what is not there is a 404 that names it, on the timeline too", async () => {
  await using site = await lab();
  for (const path of ["discovery/i386/vmlinuz", "ipxe", "ipxe/snponly.efi/x"]) {
    const { code, text } = await site.ask(`/artefacts/${path}`);
    assert.equal(code, 404, path);
    assert.match(text, new RegExp(`^{"because":"no-such-artefact","detail":"no such artefact: ${path}`));
  }
  assert.equal(site.reporter.of("pxe.refused").length, 3);
  assert.equal(site.reporter.of("pxe.refused")[0]!.mac, ONE.mac);
});

test("nothing outside the folder is served, however it is spelt or linked", async () => {
  await using site = await lab();
  writeFileSync(join(site.stateDir, "secret"), "a secret");
  symlinkSync("../secret", join(site.stateDir, "artefacts/linked"));
  symlinkSync("..", join(site.stateDir, "artefacts/up"));
  symlinkSync("ipxe/snponly.efi", join(site.stateDir, "artefacts/default.efi"));
  for (const path of [
    "../secret",
    "..%2fsecret",
    "%2e%2e/secret",
    "%252e%252e/secret",
    "ipxe/../../secret",
    "ipxe/..%2f..%2fsecret",
    "..\\secret",
    "linked",
    "up/secret",
    ".hidden",
    "ipxe/../.hidden",
    "",
    "/secret",
    "%00",
    "a%00.efi",
    "%ff",
    "%",
  ]) {
    const { code, text } = await site.ask(`/artefacts/${path}`);
    assert.ok(code === 404 || code === 400, `${path}: ${code}`);
    assert.match(text, /because/, path);
    assert.doesNotMatch(text, /a secret/, path);
  }
  assert.equal((await site.ask("/artefacts/default.efi")).bytes.length, 3000);
  assert.deepEqual(site.faults, []);
});

test("a machine that leaves in the middle of a file is on its timeline with what it got", async () => {
  await using site = await lab();
  writeFileSync(join(site.stateDir, "artefacts/image"), Buffer.alloc(64 << 20));
  const socket = connect({ host: "127.0.0.1", port: site.port, localAddress: ONE.address });
  socket.write("GET /artefacts/image HTTP/1.1\r\nHost: x\r\n\r\n");
  await new Promise((resolve) => socket.once("data", resolve));
  socket.destroy();
  await until(() => site.reporter.reported.length > 0);
  const [told] = site.reporter.reported;
  assert.equal(told!.kind, "pxe.artefact");
  assert.equal(told!.because, "machine-left");
  assert.equal(told!.detail!["of"], "67108864");
  assert.ok(Number(told!.detail!.bytes) < 64 << 20);
});

test("a boot loader is anyone's, and everything else takes a lease", async () => {
  await using site = await lab();
  assert.equal((await site.ask(EFI, { from: NOBODY })).code, 200);
  await until(() => site.reporter.reported.length > 0);
  assert.deepEqual(site.reporter.reported, [
    { kind: "pxe.artefact", address: NOBODY, detail: { path: "ipxe/snponly.efi", bytes: "3000" } },
  ]);
  assert.equal((await site.ask(`${EFI}.missing`, { from: NOBODY })).code, 404);
  for (const path of [
    "discovery/x86_64/vmlinuz",
    "ipxe/../discovery/x86_64/vmlinuz",
    "ipxe%2f..%2fdiscovery/x86_64/vmlinuz",
  ])
    assert.equal((await site.ask(`/artefacts/${path}`, { from: NOBODY })).code, 403, path);
});
