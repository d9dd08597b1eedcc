import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { connectOperator, type Operator, textChunks } from "@firstlight/api-client";
import { ipamSchema } from "@firstlight/ipam";
import { SHEET_KINDS } from "@firstlight/ipam/exchange";
import { testTrust } from "@firstlight/kit";
import { testDatabase } from "@firstlight/kit/postgres";
import { processShared, siteSchema, systemClock } from "@firstlight/service";
import { type ServiceError, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { apiSchema } from "../src/config.ts";
import { daemon, migrateApi } from "../src/main.ts";

/** The whole daemon, as `firstlight api` starts it, on a real database. */
const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const SEGMENT = { name: "bmc", domain: "rack.internal", prefixes: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.1" }] };
let operator: Operator;

before(async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "firstlight-exchange-"));
  parts.defer(() => rmSync(stateDir, { recursive: true, force: true }));
  const { url } = parts.use(await testDatabase());
  await migrateApi(url);
  const trust = parts.use(await testTrust());
  const running = await daemon.start({
    config: apiSchema.parse({ listen: "127.0.0.1:0" }),
    site: { ...siteSchema.parse({ database: { url }, site: { stateDir } }), trust: { dir: trust.dir } },
    sections: { ipam: ipamSchema.parse({ domains: [{ name: "rack.internal" }], segments: [SEGMENT] }) },
    log: pino({ level: "error" }, pino.destination(2)),
    metrics: new Registry(),
    clock: systemClock,
    credentials: await trust.issue("daemon/api"),
    shared: parts.use(processShared(systemClock)),
  });
  parts.defer(() => running.stop());
  const credentials = await trust.issue("operator/anna");
  operator = parts.use(connectOperator({ address: running.endpoints["grpc"]!, site: "lab", ...credentials }));
});

async function exported(kind: string, format = "csv"): Promise<string> {
  let text = "";
  for await (const piece of operator.exchange.export({ kind, format })) text += piece.text;
  return text;
}

/** What is written is in the replica a moment later. */
async function eventually<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("an operator sees what a sheet would change, changes it, and finds it where the daemons look", async () => {
  const text = "name,domain,vlan\nbmc,rack.internal,12\nhosts,rack.internal,13\n";
  const sheet = { kind: "segments", format: "csv", text };
  const dry = await operator.exchange.import([{ ...sheet, dryRun: true }]);
  assert.deepEqual(
    dry.rows.map(({ row, did, key, cells }) => [
      row,
      did,
      key,
      did === "changed" ? cells.map(({ after }) => after) : [],
    ]),
    [
      [2, "changed", "bmc", ["12"]],
      [3, "created", "hosts", []],
    ],
  );
  assert.equal((await operator.ipam.listSegments({})).segments.length, 1);
  await operator.exchange.import([sheet]);
  await operator.exchange.import([
    { kind: "prefixes", format: "yaml", text: "- { segment: hosts, prefix: 10.9.1.0/24, gateway: 10.9.1.1 }\n" },
  ]);
  const { segments } = await eventually(
    () => operator.ipam.listSegments({}),
    ({ segments }) => segments[1]?.prefixes.length === 1,
  );
  assert.deepEqual(
    segments.map(({ name, vlan, prefixes }) => [name, vlan, prefixes[0]?.prefix]),
    [
      ["bmc", 12, "10.9.0.0/24"],
      ["hosts", 13, "10.9.1.0/24"],
    ],
  );
  const { entries } = await eventually(
    () => operator.history.audit({ actor: "operator/anna" }),
    ({ entries }) => entries.length >= 3,
  );
  assert.deepEqual(new Set(entries.map(({ kind }) => kind)), new Set(["segment", "prefix"]));
});

test("what is exported changes nothing when it is imported, in each format", async () => {
  for (const kind of SHEET_KINDS)
    for (const format of ["csv", "json", "yaml"]) {
      const told = await operator.exchange.import([{ kind, format, text: await exported(kind, format) }]);
      assert.deepEqual([told.faults, told.changed], [[], 0]);
    }
});

test("a fault is said with its place, and nothing is written", async () => {
  const text = "mac,machine,role\n02:00:00:00:00:01,m1,host\nnonsense,m2,host\n02:00:00:00:00:03,m3,toaster\n";
  const { faults, rows } = await operator.exchange.import([{ kind: "expected", format: "csv", text }]);
  assert.deepEqual(rows, []);
  assert.deepEqual(
    faults.map(({ row, column }) => [row, column]),
    [
      [3, "mac"],
      [4, "role"],
    ],
  );
  assert.equal(await exported("expected"), "mac,machine,role,serial,label,address,segment\n");
});

test("leases of another server are promises of this one, each with its end", async () => {
  const end = Math.ceil(Date.now() / 1000) * 1000 + 3_000_000;
  const lease = {
    address: "10.9.0.44",
    mac: "02:ee:00:00:00:01",
    clientId: Uint8Array.of(1, 2),
    expires: timestampFromMs(end),
  };
  const elsewhere = { ...lease, address: "10.9.1.44", mac: "02:ee:00:00:00:02" };
  const { outcomes } = await operator.exchange.importLeases({ leases: [lease, elsewhere], relay: "10.9.0.1" });
  assert.deepEqual(
    outcomes.map(({ address, is, because }) => [address, is, because]),
    [
      ["10.9.0.44", "bound", ""],
      ["10.9.1.44", "passed", "not behind this relay"],
    ],
  );
  const { leases } = await eventually(
    () => operator.ipam.listLeases({}),
    ({ leases }) => leases.length === 1,
  );
  assert.deepEqual([leases[0]?.address, leases[0]?.giaddr], ["10.9.0.44", "10.9.0.1"]);
  const until = Number(leases[0]?.expires?.seconds) * 1000;
  assert.ok(until >= end && until <= end + 1_000);
});

test("a sheet comes in pieces, of any size up to a limit that is said before the rest of it is sent", async () => {
  const lines = Array.from({ length: 2_000 }, (_, n) => `big${n}.rack.internal,TXT,"${"ü€😀".repeat(150)}"`);
  const text = ["owner,type,data", ...lines].join("\n");
  const all = [...textChunks(text)];
  assert.ok(all.length > 3);
  const head = { kind: "names", format: "csv" };
  const told = await operator.exchange.import(all.map((text, n) => (n === 0 ? { ...head, text } : { text })));
  assert.deepEqual([told.faults, told.changed], [[], 2_000]);
  assert.ok(told.rows.length > 100 && told.rows.length < 2_000, "as many as an answer has room for");
  let sent = 0;
  function* endless() {
    for (; sent < 10_000; sent++) yield { ...head, text: "x".repeat(1_000_000) };
  }
  await assert.rejects(
    operator.exchange.import(endless()),
    (error: ServiceError) =>
      error.code === status.RESOURCE_EXHAUSTED && error.details.startsWith("text: more than 16000000 characters"),
  );
  assert.ok(sent < 1_000, `${sent} pieces were sent`);
  await assert.rejects(operator.exchange.import([]), (error: ServiceError) => error.code === status.INVALID_ARGUMENT);
});

function fails(ask: Promise<unknown>, details: RegExp): Promise<void> {
  return assert.rejects(
    ask,
    (error: ServiceError) => error.code === status.INVALID_ARGUMENT && details.test(error.details),
  );
}

test("what is asked wrongly is said by field", async () => {
  await fails(operator.exchange.import([{ kind: "routers", format: "csv", text: "" }]), /^kind: want one of domains, /);
  await fails(exported("segments", "xml"), /^format: want one of csv, json, yaml/);
  const lease = { address: "10.9.0", mac: "02:ee:00:00:00:01", expires: timestampFromMs(0) };
  await fails(operator.exchange.importLeases({ leases: [lease] }), /^leases\[0\]\.address: want an IP address/);
});
