import assert from "node:assert/strict";
import test from "node:test";
import { CLOCK_START, decision, FakeReporter, iface, lease, readAddress } from "@firstlight/kit";
import type { Interface, Lease } from "@firstlight/ipam";
import * as fc from "fast-check";
import { chunkBytes, contentTypeOf, isArtefactName } from "../src/artefact.ts";
import { refused } from "../src/reasons.ts";
import { pxeHttpSchema } from "../src/config.ts";
import { Decisions } from "../src/decisions.ts";
import { EventRecorder } from "../src/event-recorder.ts";
import { RateLimit } from "@firstlight/service";
import { readCall } from "../src/phone-home-call.ts";
import { requesterAt, sourceOf } from "../src/requester.ts";

const ONE = { address: "127.64.0.12", mac: "02:f1:00:00:00:01" } as const;
const HOUR = 3_600_000;
const SILENT = { request() {}, bytes() {}, refusal() {}, untold() {}, script() {} };
const SOURCE = readAddress(ONE.address);

function at(row: Lease | undefined, owner: Interface | undefined, now: number) {
  const replica = { lease: () => row, interfaceById: () => owner, databaseNow: () => now };
  const found = requesterAt(replica, SOURCE, "default");
  return found.is === "refused" ? found.because : found.mac;
}

test("an address speaks for the interface it is leased to, past expiry too, until it may go to another", () => {
  const bound = lease(ONE); // expires an hour after dawn, may be reused 24 hours later
  assert.equal(at(bound, iface(), CLOCK_START), ONE.mac);
  assert.equal(at(bound, iface(), CLOCK_START + 24 * HOUR), ONE.mac);
  assert.equal(at(bound, iface(), CLOCK_START + 25 * HOUR), "lease-over");
  assert.equal(at(bound, iface({ machine: "node-1" }), CLOCK_START + 9999 * HOUR), ONE.mac);
  assert.equal(at(lease({ ...ONE, policy: "fixed" }), iface(), CLOCK_START + 9999 * HOUR), ONE.mac);
  assert.equal(at(lease({ ...ONE, state: "released" }), iface(), CLOCK_START), "address-given-back");
  assert.equal(at(undefined, undefined, CLOCK_START), "no-lease");
});

test("the source of a connection is an address, mapped or scoped, or nobody", () => {
  assert.equal(sourceOf("127.64.0.12"), SOURCE);
  assert.equal(sourceOf("::ffff:127.64.0.12"), SOURCE);
  assert.equal(sourceOf("fe80::1%eth0"), (0xfe80n << 112n) | 1n);
  assert.equal(sourceOf(undefined), undefined);
  assert.equal(sourceOf("node-1"), undefined);
});

test("with the API away only a young local-disk decision of the same machine at the same address stands", () => {
  const decisions = new Decisions(300);
  const one = { is: "requester", ...ONE } as const;
  const disk = decision(ONE.mac, { action: "local-disk" });
  decisions.learn(one, disk, 0);
  assert.equal(decisions.standing(one, 299_999), disk);
  assert.equal(decisions.standing(one, 300_000), undefined, "too old");
  assert.equal(decisions.standing({ ...one, address: "127.64.0.13" }, 1), undefined, "another address");
  assert.equal(decisions.standing({ ...one, mac: "02:f1:00:00:00:02" }, 1), undefined, "another machine");
  for (const action of ["discover", "tenant", "cleanup", "wait"] as const) {
    decisions.learn(one, disk, 0);
    decisions.learn(one, decision(ONE.mac, { action }), 1);
    assert.equal(decisions.standing(one, 2), undefined, action);
  }
  decisions.learn(one, disk, 0);
  decisions.forget(one);
  assert.equal(decisions.standing(one, 1), undefined, "forgotten");
});

const because = (body: unknown) => (readCall(body) as { because?: string }).because;

test("a call's token is needed, its detail is cut to what the recorder takes", () => {
  assert.deepEqual(readCall({ token: "t", a: 1, b: null, c: { d: [2] }, e: "x\ny" }), {
    is: "call",
    token: "t",
    detail: { a: "1", b: "null", c: '{"d":[2]}', e: "x y" },
  });
  assert.equal(because({}), "token-missing");
  assert.equal(because({ token: "a b" }), "token-malformed");
  assert.equal(because({ token: ["t"] }), "token-malformed");
  for (const body of [undefined, null, "token=x", ["token"], 7]) {
    assert.equal(because(body), "body-malformed");
  }
});

test("whatever JSON is sent, a call is a token and at most 32 bounded texts, or a reason", () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 60 })), (body) => {
      const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
      const call = readCall(isObject ? { token: "t", ...body } : body);
      if (call.is === "refused") return;
      const entries = Object.entries(call.detail);
      assert.ok(entries.length <= 32);
      for (const [key, value] of entries) {
        assert.ok(key.length <= 64 && value.length <= 512 && !/\p{Cc}/u.test(key + value));
      }
    }),
  );
});

test("an artefact's name is plain segments below the folder", () => {
  for (const name of ["vmlinuz", "ipxe/snponly.efi", "discovery/x86_64/initrd", "a-b_c+d@e=f~1.2"])
    assert.ok(isArtefactName(name), name);
  for (const name of [
    "",
    "/etc/passwd",
    "../x",
    "a/../b",
    "a//b",
    "a/",
    ".x",
    "a/.x",
    "a\\b",
    "a%2e",
    "a b",
    "ä",
    "a\0",
    "a".repeat(256),
  ])
    assert.ok(!isArtefactName(name), name);
  assert.equal(contentTypeOf("ipxe/snponly.efi"), "application/efi");
  assert.equal(contentTypeOf("discovery/x86_64/vmlinuz"), "application/octet-stream");
});

test("ten thousand transfers read small, few read large, and never more than their share of memory", () => {
  assert.equal(chunkBytes(1), 1 << 20);
  assert.equal(chunkBytes(128), 1 << 20);
  assert.equal(chunkBytes(1000), 1 << 17);
  assert.equal(chunkBytes(10_000), 1 << 16);
});

test("the configuration's defaults are the embedded site's, and a slip is named", () => {
  const config = pxeHttpSchema.parse(undefined);
  assert.equal(config.listen, "127.0.0.1:7080");
  assert.equal(config.health, "127.0.0.1:7180");
  assert.equal(config.baseUrl, undefined);
  assert.equal(pxeHttpSchema.parse({ baseUrl: "http://10.0.0.1:8080/" }).baseUrl, "http://10.0.0.1:8080");
  for (const slip of [
    { baseUrl: "ftp://10.0.0.1" },
    { baseUrl: "http://10.0.0.1/a b" },
    { kernelArguments: { discovery: ["a b"] } },
    { kernelArguments: { discovery: ["||"] } },
    { kernelArguments: { discovery: ["firstlight.token=x"] } },
    { listen: "localhost:80" },
    { waitSecond: 3 },
  ])
    assert.ok(!pxeHttpSchema.safeParse(slip).success, JSON.stringify(slip));
});

const limit = (): RateLimit<string> => new RateLimit({ perSecond: 1, burst: 2 }, 10);

test("a machine that makes noise is told within bounds, and others are told as ever", () => {
  const [reporter, counted, untold] = [new FakeReporter(), [] as string[], { times: 0 }];
  const metrics = { ...SILENT, refusal: (because: string) => counted.push(because), untold: () => untold.times++ };
  let now = 0;
  const events = new EventRecorder({ reporter, metrics, ofMachine: limit(), ofStrangers: limit(), now: () => now });
  const no = refused("no-such-artefact", "x");
  for (let i = 0; i < 5; i++) events.refused({ requester: ONE }, no, "/x");
  events.refused({ requester: { ...ONE, mac: "02:f1:00:00:00:02" } }, no, "/x");
  for (let i = 0; i < 5; i++) events.refused({ source: `127.64.0.${i}` }, no, "/x");
  assert.equal(reporter.reported.length, 2 + 1 + 2);
  assert.deepEqual([counted.length, untold.times], [11, 6]);
  now = 1000;
  events.refused({ requester: ONE }, no, "/x");
  assert.equal(reporter.reported.length, 6);
});
