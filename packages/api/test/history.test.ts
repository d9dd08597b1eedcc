import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { connectOperator, type Operator } from "@firstlight/api-client";
import { ipamSchema } from "@firstlight/ipam";
import { createStore } from "@firstlight/ipam/store";
import { testTrust } from "@firstlight/kit";
import { testDatabase } from "@firstlight/kit/postgres";
import { processShared, siteSchema, systemClock } from "@firstlight/service";
import { isMalformed, parseAddress, parseMac } from "@firstlight/wire";
import { type ServiceError, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { apiSchema } from "../src/config.ts";
import { daemon, migrateApi } from "../src/main.ts";

/** The whole daemon, as `firstlight api` starts it, on a real database. */
const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const metrics = new Registry();
const SEGMENT = { name: "bmc", domain: "rack.internal", prefixes: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.1" }] };
let operator: Operator;

before(async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "firstlight-history-"));
  parts.defer(() => rmSync(stateDir, { recursive: true, force: true }));
  const { url } = parts.use(await testDatabase());
  await migrateApi(url);
  const trust = parts.use(await testTrust());
  const running = await daemon.start({
    config: apiSchema.parse({ listen: "127.0.0.1:0" }),
    site: { ...siteSchema.parse({ database: { url }, site: { stateDir } }), trust: { dir: trust.dir } },
    sections: { ipam: ipamSchema.parse({ domains: [{ name: "rack.internal" }], segments: [SEGMENT] }) },
    log: pino({ level: "error" }, pino.destination(2)),
    metrics,
    clock: systemClock,
    credentials: await trust.issue("daemon/api"),
    shared: parts.use(processShared(systemClock)),
  });
  parts.defer(() => running.stop());
  const credentials = await trust.issue("operator/anna");
  operator = parts.use(connectOperator({ address: running.endpoints["grpc"]!, site: "lab", ...credentials }));
  await using store = createStore({ url, name: "dhcpd" });
  const [mac, address] = [parseMac("02:ff:00:00:00:01"), parseAddress("10.9.0.20")];
  assert.ok(!isMalformed(mac) && !isMalformed(address));
  await store.commit([{ do: "bind", segment: 1, identity: mac, address, leaseSeconds: 600 }], "daemon/dhcpd");
});

/** What was written is in the history a moment later. */
async function eventually<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("an operator learns who has an address, and that nobody had it before", async () => {
  const { tenancies } = await operator.history.whoHad({ address: "10.9.0.20" });
  assert.deepEqual(
    tenancies.map(({ mac, state, segment, vrf }) => [mac, state, segment, vrf]),
    [["02:ff:00:00:00:01", "bound", "bmc", "default"]],
  );
  const past = await eventually(
    () => operator.history.whoHad({ address: "10.9.0.20", at: timestampFromMs(Date.now() - 86_400_000) }),
    ({ because }) => because !== "no history is kept yet",
  );
  assert.deepEqual(past.tenancies, []);
  assert.match(past.because, /^nothing is known before 20/);
});

test("an operator learns what a device had, and where it moved", async () => {
  const { tenancies, nextPageToken } = await operator.history.whatHad({ mac: "02-FF-00-00-00-01" });
  assert.deepEqual(
    tenancies.map(({ mac, address, state, segment }) => [mac, address, state, segment]),
    [["02:ff:00:00:00:01", "10.9.0.20", "bound", "bmc"]],
  );
  assert.equal(nextPageToken, "");
  const nobody = await operator.history.whatHad({ mac: "02:ff:00:00:00:99" });
  assert.match(nobody.because, /^(it had no address since 20|no history is kept yet)/);
});

test("every change is there with who made it, page by page", async () => {
  await operator.ipam.updateSegment({ segment: { name: "bmc", mtu: 9000 } });
  const { entries } = await eventually(
    () => operator.history.audit({ actor: "operator/anna" }),
    (page) => page.entries.length > 0,
  );
  const [entry] = entries;
  assert.deepEqual([entry?.kind, entry?.did], ["segment", "changed"]);
  assert.deepEqual(
    entry?.changed.map(({ field, before, after }) => [field, before, after]),
    [["mtu", "1500", "9000"]],
  );
  const first = await operator.history.audit({ pageSize: 2 });
  const rest = await operator.history.audit({ pageToken: first.nextPageToken });
  assert.equal(first.entries.length, 2);
  assert.deepEqual(new Set(rest.entries.map(({ actor }) => actor)), new Set(["config", "daemon/dhcpd", "sequencer"]));
  assert.equal(rest.nextPageToken, "");
});

test("how full a prefix is, is an answer and a metric", async () => {
  const { prefixes } = await eventually(
    () => operator.history.getUtilisation({}),
    (answer) => answer.prefixes.length > 0,
  );
  const [use] = prefixes;
  assert.deepEqual([use?.segment, use?.prefix, use?.assignable], ["bmc", "10.9.0.0/24", 253]);
  assert.match(use!.because, /^too few samples yet: 1 in 0\.0 h$/);
  assert.match(
    await metrics.metrics(),
    /firstlight_prefix_addresses\{segment="bmc",vrf="default",prefix="10.9.0.0\/24",is="assignable"\} 253/,
  );
});

function fails(ask: Promise<unknown>, details: RegExp): Promise<void> {
  return assert.rejects(ask, (error: ServiceError) => {
    assert.equal(error.code, status.INVALID_ARGUMENT);
    assert.match(error.details, details);
    return true;
  });
}

test("what is asked wrongly is said by field", async () => {
  await fails(operator.history.whoHad({ address: "10.9.0" }), /^address: want an IP address/);
  await fails(operator.history.whatHad({ mac: "nobody" }), /^mac: want a MAC address/);
  await fails(operator.history.whatHad({ mac: "02:ff:00:00:00:01", pageToken: "x" }), /^page_token: is none of ours/);
  await fails(operator.history.audit({ pageToken: "x" }), /^page_token: is none of ours/);
  await fails(operator.history.audit({ pageSize: 1001 }), /^page_size: at most 1000/);
});
