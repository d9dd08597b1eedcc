import assert from "node:assert/strict";
import test from "node:test";
import { iface, lease } from "@firstlight/kit";
import { parse } from "yaml";
import { form, lab, NOBODY, ONE, ROWS, TRACE, TWO, until } from "./lab.ts";

test("while the API is away a new machine waits, and a ready one goes on to its disk for a while", async () => {
  await using site = await lab();
  site.api.decides(TWO.mac, { action: "local-disk", because: "it is in order" });
  assert.match((await site.ask("/boot.ipxe", { from: TWO.address })).text, /sanboot/);
  site.api.down = true;
  const one = await site.ask("/boot.ipxe");
  assert.equal(one.code, 200);
  assert.match(one.text, /because: the API is away.*\n:retry\n[^]*sleep 3/);
  const two = await site.ask("/boot.ipxe", { from: TWO.address });
  assert.match(two.text, /because: as decided before, now that the API is away: it is in order\n[^]*sanboot/);
  site.site.clock.advance(300_000);
  assert.match((await site.ask("/boot.ipxe", { from: TWO.address })).text, /action: wait/);
  assert.deepEqual(
    site.reporter.reported.map(({ kind, mac }) => [kind, mac]),
    [
      ["pxe.script", TWO.mac],
      ["pxe.wait", ONE.mac],
      ["pxe.script", TWO.mac],
      ["pxe.wait", TWO.mac],
    ],
  );
});

test("a machine the API does not know waits, and its earlier decision is forgotten", async () => {
  await using site = await lab();
  site.api.decides(ONE.mac, { action: "local-disk" });
  await site.ask("/boot.ipxe");
  site.api.decides(ONE.mac, "unknown");
  assert.match((await site.ask("/boot.ipxe")).text, /because: the API knows no such machine/);
  site.api.down = true;
  assert.match((await site.ask("/boot.ipxe")).text, /action: wait/);
});

test("URLs in a script go on with the boot's trace; without one they have none", async () => {
  await using site = await lab();
  assert.match(
    (await site.ask(`/t/${TRACE}/boot.ipxe`)).text,
    new RegExp(` http://10.0.0.1:8080/t/${TRACE}/boot.ipxe `),
  );
  assert.match((await site.ask("/boot.ipxe")).text, / http:\/\/10\.0\.0\.1:8080\/boot\.ipxe /);
  for (const trace of ["x", TRACE.toUpperCase(), `${TRACE}0`, "%0a"]) {
    assert.equal((await site.ask(`/t/${trace}/boot.ipxe`)).code, 404, trace);
  }
});

test("without a base URL of its own the server names the address it listens on", async () => {
  await using site = await lab({ baseUrl: undefined });
  assert.ok((await site.ask("/boot.ipxe")).text.includes(`http://127.0.0.1:${site.port}/boot.ipxe`));
});

test("a machine that is faster than the feed waits for its lease and gets its script", async () => {
  await using site = await lab({ identityWaitMs: 10_000 });
  const asked = site.ask("/boot.ipxe", { from: NOBODY });
  const mac = "02:f1:00:00:00:63";
  site.site.source.push(iface({ id: 99, identity: mac }), lease({ address: NOBODY, identity: mac, interface: 99 }));
  assert.match((await asked).text, /token-of-m-02f100000063 /);
  assert.deepEqual(site.reporter.of("pxe.refused"), []);
});

test("an address that has gone to another machine speaks for the other", async () => {
  await using site = await lab();
  await site.ask("/boot.ipxe");
  site.site.source.push(lease({ address: ONE.address, identity: TWO.mac, interface: 2, version: 2 }));
  await site.site.settled();
  assert.match((await site.ask("/boot.ipxe")).text, /token-of-m-02f100000002 /);
  site.site.source.push(lease({ ...ONE, version: 3, state: "released" }));
  await site.site.settled();
  assert.match((await site.ask("/boot.ipxe")).text, /because: the address was given back/);
});

test("cloud-init reads its own seed: task by task another instance", async () => {
  await using site = await lab();
  const meta = async () => parse((await site.ask("/cloud-init/meta-data", { from: TWO.address })).text);
  const first = await meta();
  assert.match(first["instance-id"], /^id-of-m-02f100000002-[0-9a-f]{12}$/);
  assert.equal(first["local-hostname"], "node-two");
  site.api.decides(TWO.mac, { version: 9 });
  assert.deepEqual(await meta(), first, "another version of the same task");
  site.api.decides(TWO.mac, { token: "another", userData: "#cloud-config\nhostname: x\n" });
  assert.notEqual((await meta())["instance-id"], first["instance-id"]);
  const user = await site.ask("/cloud-init/user-data", { from: TWO.address });
  assert.equal(user.text, "#cloud-config\nhostname: x\n");
  assert.equal((await site.ask("/cloud-init/user-data")).text, "#cloud-config\n{}\n");
  for (const name of ["vendor-data", "network-config"]) assert.equal((await site.ask(`/cloud-init/${name}`)).code, 200);
  site.api.down = true;
  const away = await site.ask("/cloud-init/meta-data");
  assert.equal(away.code, 503);
  assert.equal(away.headers["retry-after"], "3");
});

test("phone-home takes a form or JSON of bounded size, and says no with a reason", async () => {
  await using site = await lab();
  const post = (body: string, type = form["content-type"], from: string = ONE.address) =>
    site.ask("/phone-home", { method: "POST", from, headers: { "content-type": type }, body });
  assert.equal((await post('{"token":"t","hostname":"h"}', "application/json")).code, 200);
  const rows: readonly [number, RegExp, Promise<{ code: number; text: string }>][] = [
    [400, /the token is missing/, post("hostname=h")],
    [400, /the request is malformed/, post("{", "application/json")],
    [413, /the request is malformed/, post(`token=t&x=${"y".repeat(16 * 1024)}`)],
    [415, /the request is malformed/, post("<x/>", "text/xml")],
    [403, /no lease at this address/, post("token=t", undefined, NOBODY)],
  ];
  for (const [code, because, asked] of rows) {
    const answer = await asked;
    assert.equal(answer.code, code);
    assert.match(answer.text, because);
  }
  site.api.decides(ONE.mac, "unknown");
  const unknown = await post("token=t");
  assert.equal(unknown.code, 403);
  assert.match(unknown.text, /the API knows no such machine/);
  assert.equal(site.api.phonedHome.length, 1);
});

test("one machine's flood is turned away without costing another its script", async () => {
  await using site = await lab({ perClient: { perSecond: 1, burst: 5 } });
  const codes: number[] = [];
  for (let i = 0; i < 8; i++) codes.push((await site.ask("/artefacts/ipxe/snponly.efi")).code);
  assert.deepEqual(codes, [200, 200, 200, 200, 200, 429, 429, 429]);
  assert.match((await site.ask("/boot.ipxe")).text, /because: too many requests of this address[^]*sleep 3/);
  assert.match((await site.ask("/boot.ipxe", { from: TWO.address })).text, /kernel /);
  assert.deepEqual(site.reporter.of("pxe.refused"), [], "floods are counted, not told");
});

test("metrics name routes and reasons, never a path, an address or a MAC", async () => {
  await using site = await lab();
  for (const path of [
    `/t/${TRACE}/boot.ipxe`,
    "/artefacts/nothing/here",
    "/elsewhere",
    "/artefacts/ipxe/snponly.efi",
  ]) {
    await site.ask(path);
  }
  await until(() => site.reporter.of("pxe.artefact").length > 0);
  const text = await site.metrics.metrics();
  assert.match(text, /firstlight_http_requests_total\{route="script",code="200"\} 1/);
  assert.match(text, /firstlight_http_requests_total\{route="none",code="404"\} 1/);
  assert.match(text, /firstlight_http_refusals_total\{because="no-such-artefact"\} 1/);
  assert.match(text, /firstlight_http_artefact_bytes_total 3000/);
  assert.doesNotMatch(text, /elsewhere|nothing\/here|127\.64|02:f1|0af7/);
});

test("the daemon serves on while the feed is silent, and stops when told", async () => {
  const site = await lab({ rows: ROWS });
  site.site.source.down = new Error("the database is away");
  assert.match((await site.ask("/boot.ipxe")).text, /kernel /);
  await site.running.drain();
  await assert.rejects(site.ask("/boot.ipxe"), /ECONNREFUSED/);
  await site[Symbol.asyncDispose]();
});
