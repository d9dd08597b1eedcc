import assert from "node:assert/strict";
import test from "node:test";
import { form, lab, NOBODY, ONE, TRACE, TWO, until } from "./lab.ts";

test("a script is bound to the source address of the connection, whatever the request says", async () => {
  await using site = await lab();
  const forged = {
    "x-forwarded-for": ONE.address,
    forwarded: `for=${ONE.address}`,
    "x-real-ip": ONE.address,
    host: ONE.address,
  };
  const two = await site.ask(`/t/${TRACE}/boot.ipxe?mac=${ONE.mac}&ip=${ONE.address}`, {
    from: TWO.address,
    headers: forged,
  });
  assert.match(two.text, /firstlight\.token=token-of-m-02f100000002 /);
  assert.doesNotMatch(two.text, /02f100000001/);
  const one = await site.ask(`/t/${TRACE}/boot.ipxe`);
  assert.match(one.text, /firstlight\.token=token-of-m-02f100000001 /);
  assert.deepEqual(site.api.calls, [
    { method: "decide", request: { ...TWO, trace: TRACE } },
    { method: "decide", request: { ...ONE, trace: TRACE } },
  ]);
});

test("a script fetched is on the machine's timeline with its action, version and trace; a HEAD is not", async () => {
  await using site = await lab();
  site.api.decides(ONE.mac, { version: 7, machineName: "node-1", because: "it is new", reason: "new" });
  await site.ask(`/t/${TRACE}/boot.ipxe`, { method: "HEAD" });
  await site.ask(`/t/${TRACE}/boot.ipxe`);
  assert.deepEqual(site.reporter.reported, [
    {
      kind: "pxe.script",
      ...ONE,
      trace: TRACE,
      because: "new",
      detail: { action: "discover", version: "7", machine: "node-1" },
    },
  ]);
});

test("phone-home is answered 200 only once the API has it, and 503 while it is away", async () => {
  await using site = await lab();
  const body = "token=abc&hostname=node-1&kernel=6.1";
  const call = { method: "POST", headers: form, body } as const;
  site.api.down = true;
  const away = await site.ask(`/t/${TRACE}/phone-home`, call);
  assert.equal(away.code, 503);
  assert.equal(away.headers["retry-after"], "3");
  assert.match(away.text, /the API is away/);
  site.api.down = false;
  const stored = await site.ask(`/t/${TRACE}/phone-home`, call);
  assert.equal(stored.code, 200);
  assert.deepEqual(site.api.phonedHome, [
    { ...ONE, token: "abc", detail: { hostname: "node-1", kernel: "6.1" }, trace: TRACE },
  ]);
});

test("UEFI's HEAD then GET of an iPXE build: the same length, its type, and one event at the end", async () => {
  await using site = await lab();
  const path = `/t/${TRACE}/artefacts/ipxe/snponly.efi`;
  const head = await site.ask(path, { method: "HEAD" });
  assert.equal(head.headers["content-length"], "3000");
  const got = await site.ask(path);
  assert.equal(got.code, 200);
  assert.equal(got.headers["content-type"], "application/efi");
  assert.equal(got.bytes.length, 3000);
  await until(() => site.reporter.reported.length > 0);
  assert.deepEqual(site.reporter.reported, [
    { kind: "pxe.artefact", ...ONE, trace: TRACE, detail: { path: "ipxe/snponly.efi", bytes: "3000" } },
  ]);
});

test("an address without a lease gets nothing but a script that waits", async () => {
  await using site = await lab();
  const script = await site.ask("/boot.ipxe", { from: NOBODY });
  assert.equal(script.code, 200);
  assert.match(script.text, /^#!ipxe\n[^]*because: no lease at this address[^]*sleep 3\nchain /);
  for (const path of ["/artefacts/discovery/x86_64/vmlinuz", "/cloud-init/user-data", "/nothing"]) {
    const { code, text } = await site.ask(path, { from: NOBODY });
    assert.equal(code, 403);
    assert.deepEqual(JSON.parse(text), { because: "no-lease", detail: `no lease at this address: ${NOBODY}` });
  }
  assert.equal(site.api.calls.length, 0);
  assert.equal(site.reporter.of("pxe.refused").length, 4);
  assert.match(await site.metrics.metrics(), /^firstlight_pxe_scripts_total\{action="stranger"\} 1$/m);
});
