import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { connectOperator, type Operator, reasonOfError } from "@firstlight/api-client";
import { expectedMachinesSchema, ipamSchema } from "@firstlight/ipam";
import { testTrust, type TestTrust } from "@firstlight/kit";
import { testDatabase } from "@firstlight/kit/postgres";
import { type Context, processShared, type Running, siteSchema, systemClock } from "@firstlight/service";
import { type ServiceError, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { type ApiConfig, apiSchema } from "../src/config.ts";
import { daemon, migrateApi } from "../src/main.ts";

/** The whole daemon, as `firstlight api` starts it, on a real database with the real IPAM. */
const parts = new AsyncDisposableStack();
let running: Running;
let operator: Operator;

before(async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "firstlight-api-"));
  parts.defer(() => rmSync(stateDir, { recursive: true, force: true }));
  const database = parts.use(await testDatabase());
  assert.deepEqual(await migrateApi(database.url), ["001_machines", "002_machine_order"]);
  assert.deepEqual(await migrateApi(database.url), []);
  const trust = parts.use(await testTrust());
  const shared = parts.use(processShared(systemClock));
  running = await daemon.start(await contextOf(database.url, stateDir, trust, shared));
  parts.defer(() => running.stop());
  const address = running.endpoints["grpc"]!;
  operator = parts.use(connectOperator({ address, site: "lab", ...(await trust.issue("operator/root")) }));
});
after(() => parts.disposeAsync());

async function contextOf(
  url: string,
  stateDir: string,
  trust: TestTrust,
  shared: Context<unknown>["shared"],
): Promise<Context<ApiConfig>> {
  const base = siteSchema.parse({ database: { url }, site: { stateDir } });
  return {
    config: apiSchema.parse({ listen: "127.0.0.1:0" }),
    site: { ...base, trust: { dir: trust.dir } },
    sections: {
      ipam: ipamSchema.parse({
        domains: [{ name: "rack.internal" }],
        segments: [
          { name: "bmc", domain: "rack.internal", prefixes: [{ prefix: "127.64.0.0/24", gateway: "127.64.0.1" }] },
        ],
      }),
      expectedMachines: expectedMachinesSchema.parse([
        { name: "r1-m01", interfaces: [{ mac: "02:f1:00:00:00:01", role: "host" }] },
      ]),
    },
    log: pino({ level: "error" }, pino.destination(2)),
    metrics: new Registry(),
    clock: systemClock,
    credentials: await trust.issue("daemon/api"),
    shared,
  };
}

const fails = (code: status, details: RegExp) => (error: ServiceError) => {
  assert.equal(status[error.code], status[code], error.details);
  assert.match(error.details, details);
  return true;
};

/** The replica shows what was written as soon as the feed has brought it. */
async function eventually<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const segments = async () => (await operator.ipam.listSegments({})).segments;

test("what the site's file declares is there: domains, segments, machines", async () => {
  const [bmc] = await eventually(segments, ({ length }) => length > 0);
  assert.deepEqual(
    [bmc?.name, bmc?.domain, bmc?.prefixes[0]?.prefix, bmc?.prefixes[0]?.assignable],
    ["bmc", "rack.internal", "127.64.0.0/24", 253n],
  );
  assert.deepEqual(
    (await operator.ipam.listDomains({})).domains.map(({ name }) => name),
    ["rack.internal"],
  );
  assert.deepEqual(
    (await operator.machines.listMachines({})).machines.map(({ name }) => name),
    ["r1-m01"],
  );
  assert.equal(running.ready().ready, true);
});

test("a segment is created, changed where it is said, and deleted", async () => {
  const { segment } = await operator.ipam.createSegment({
    segment: {
      name: "hosts",
      domain: "rack.internal",
      kind: "host_inband",
      options: { ntpServers: ["127.0.0.1"] },
      prefixes: [{ prefix: "127.66.0.0/16", gateway: "127.66.0.1", excluded: ["127.66.0.9"] }],
    },
  });
  assert.deepEqual(
    [segment?.kind, segment?.mtu, segment?.leaseSeconds, segment?.boots],
    ["host_inband", 1500, 3600, true],
  );
  assert.equal(segment?.prefixes[0]?.assignable, 65_532n);
  const prefixes = [
    {
      prefix: "127.66.0.0/24",
      gateway: "127.66.0.1",
      excluded: ["127.66.0.9"],
      reservedRanges: ["127.66.0.8/30", "127.66.0.10-127.66.0.19"],
    },
  ];
  const ranged = await operator.ipam.updateSegment({ segment: { name: "hosts", prefixes } });
  assert.equal(ranged.segment?.prefixes[0]?.assignable, 253n - 12n);
  assert.deepEqual(ranged.segment?.prefixes[0]?.reservedRanges, ["127.66.0.8-127.66.0.11", "127.66.0.10-127.66.0.19"]);
  await operator.ipam.updateSegment({ segment: { name: "hosts", mtu: 9000, boots: false } });
  const changed = await eventually(segments, (all) => all.some(({ name, mtu }) => name === "hosts" && mtu === 9000));
  const hosts = changed.find(({ name }) => name === "hosts");
  assert.deepEqual(
    [hosts?.boots, hosts?.kind, hosts?.prefixes.length, hosts?.options?.ntpServers],
    [false, "host_inband", 1, ["127.0.0.1"]],
  );
  await operator.ipam.deleteSegment({ name: "hosts" });
  await eventually(segments, (all) => all.every(({ name }) => name !== "hosts"));
});

test("a prefix with pools for roles and a number from a pool is made, drained, taken back and deleted", async () => {
  await operator.pools.putPool({ pool: { name: "vlan", kind: "integer", ranges: ["100-109"] } });
  const pools = [{ from: "127.67.0.64", to: "127.67.0.95", roles: ["host_bmc", "dpu_bmc"] }];
  const prefixes = [{ prefix: "127.67.0.0/24", pools }, { prefix: "127.67.1.0/24" }];
  const create = { name: "racks", domain: "rack.internal", prefixes, vlanPool: "vlan", loopback: "127.99.0.1" };
  const { segment } = await operator.ipam.createSegment({ segment: create });
  assert.deepEqual([segment?.vlan, segment?.vlanPool, segment?.loopback], [100, "vlan", "127.99.0.1"]);
  assert.deepEqual(
    segment?.prefixes[0]?.pools.map(({ from, to, roles }) => ({ from, to, roles })),
    pools,
  );
  assert.deepEqual((await operator.pools.listGrants({ pool: "vlan" })).grants[0]?.owner, "segment racks vlan");

  const drained = await operator.ipam.drain({ name: "racks", prefix: "127.67.0.0/24" });
  assert.deepEqual(
    drained.segment?.prefixes.map(({ state }) => state),
    ["draining", "active"],
  );
  const listed = await eventually(segments, (all) =>
    all.some(({ name, prefixes }) => name === "racks" && prefixes[0]?.state === "draining"),
  );
  assert.ok(listed.find(({ name }) => name === "racks")?.prefixes[0]?.drainBy);
  await operator.ipam.undrain({ name: "racks", prefix: "127.67.0.0/24" });
  assert.equal((await operator.ipam.drain({ name: "racks" })).segment?.state, "draining");
  await assert.rejects(operator.ipam.drain({ name: "nobody" }), fails(status.NOT_FOUND, /no segment nobody$/));
  await assert.rejects(
    operator.ipam.drain({ name: "racks", prefix: "x" }),
    fails(status.INVALID_ARGUMENT, /^prefix: /),
  );
  await assert.rejects(
    operator.ipam.updateSegment({
      segment: { name: "racks", prefixes: [{ prefix: "127.67.0.0/24", pools: [...pools, ...pools] }] },
    }),
    fails(status.FAILED_PRECONDITION, /pool 127\.67\.0\.64-127\.67\.0\.95 overlaps/),
  );
  await operator.ipam.deleteSegment({ name: "racks" });
  assert.deepEqual((await operator.pools.listGrants({ pool: "vlan" })).grants, []);
  await operator.pools.deletePool({ name: "vlan" });
  await eventually(segments, (all) => all.every(({ name }) => name !== "racks"));
});

test("a segment that cannot be is refused by the field, or by the rule", async () => {
  const good = { name: "x", domain: "rack.internal", prefixes: [{ prefix: "127.70.0.0/24" }] };
  const create = (segment: object) => operator.ipam.createSegment({ segment: { ...good, ...segment } });
  await assert.rejects(operator.ipam.createSegment({}), fails(status.INVALID_ARGUMENT, /^segment: is missing/));
  await assert.rejects(create({ name: "UPPER CASE" }), fails(status.INVALID_ARGUMENT, /^segment\.name: /));
  await assert.rejects(create({ mtu: 1 }), fails(status.INVALID_ARGUMENT, /^segment\.mtu: /));
  await assert.rejects(create({ leaseSeconds: 1 }), fails(status.INVALID_ARGUMENT, /^segment\.lease_seconds: /));
  await assert.rejects(
    create({ prefixes: [{ prefix: "127.70.0.1/24" }] }),
    fails(status.INVALID_ARGUMENT, /^segment\.prefixes\.0\.prefix: host bits/),
  );
  await assert.rejects(create({ kind: "moon" }), fails(status.INVALID_ARGUMENT, /^segment\.kind: /));
  await assert.rejects(
    create({ prefixes: [{ prefix: "127.64.0.128/25" }] }),
    fails(status.FAILED_PRECONDITION, /127\.64\.0/),
  );
  await assert.rejects(
    operator.ipam.updateSegment({ segment: { name: "nobody", mtu: 9000 } }),
    (error: ServiceError) => {
      assert.ok(error.code === status.FAILED_PRECONDITION || error.code === status.NOT_FOUND, error.details);
      return true;
    },
  );
});

test("a name is put into its zone and deleted again", async () => {
  const { name } = await operator.ipam.putName({
    name: { owner: "NTP.rack.internal.", type: "A", data: "127.64.0.2" },
  });
  assert.deepEqual([name?.owner, name?.domain, name?.ttlSeconds], ["ntp.rack.internal", "rack.internal", 60]);
  const put = (owner: string, type = "A") => operator.ipam.putName({ name: { owner, type, data: "127.64.0.2" } });
  await put("www.rack.internal");
  const listed = async (page: object) => {
    const { names, nextPageToken } = await operator.ipam.listNames(page);
    return [names.map(({ owner }) => owner), nextPageToken] as const;
  };
  while ((await listed({}))[0].length < 2) await new Promise((resolve) => setTimeout(resolve, 5)); // as the feed brings them
  const [first, next] = await listed({ domain: "rack.internal", pageSize: 1 });
  assert.deepEqual([first, await listed({ pageToken: next })], [["ntp.rack.internal"], [["www.rack.internal"], ""]]);
  await assert.rejects(operator.ipam.listNames({ domain: "nowhere" }), fails(status.NOT_FOUND, /no domain nowhere/));
  await operator.ipam.deleteName({ owner: "www.rack.internal", type: "A" });
  await operator.ipam.deleteName({ owner: "ntp.rack.internal", type: "A" });
  await assert.rejects(put("ntp.elsewhere.test"), fails(status.NOT_FOUND, /no domain above/));
  await assert.rejects(put("ntp.rack.internal", "MX"), fails(status.INVALID_ARGUMENT, /^name\.type: want one of A/));
  await assert.rejects(put("no spaces.rack.internal"), fails(status.INVALID_ARGUMENT, /^name\.owner/));
});

test("a pool gives, keeps and takes back; its refusals say whose a value is", async () => {
  await operator.pools.putPool({ pool: { name: "vni", kind: "integer", ranges: ["5000-5001"] } });
  const allocate = async (owner: string): Promise<string | undefined> =>
    (await operator.pools.allocate({ pool: "vni", owner })).grant?.value;
  assert.deepEqual([await allocate("a"), await allocate("b"), await allocate("a")], ["5000", "5001", "5000"]);
  await assert.rejects(allocate("c"), fails(status.FAILED_PRECONDITION, /exhausted: 2 of 2/));
  const first = await operator.pools.listGrants({ pool: "vni", pageSize: 1 });
  const rest = await operator.pools.listGrants({ pool: "vni", pageSize: 1, pageToken: first.nextPageToken });
  assert.deepEqual(
    [...first.grants, ...rest.grants].map(({ value, owner }) => `${value} ${owner}`),
    ["5000 a", "5001 b"],
  );
  await assert.rejects(
    operator.pools.release({ pool: "vni", value: "5000", owner: "b" }),
    fails(status.FAILED_PRECONDITION, /5000 is given to a/),
  );
  await operator.pools.release({ pool: "vni", value: "5000", owner: "a" });
  assert.deepEqual(
    (await operator.pools.listPools({})).pools.map(({ granted, free, ranges }) => [granted, free, ranges]),
    [[1n, "1", ["5000-5001"]]],
  );
  await assert.rejects(
    operator.pools.putPool({ pool: { name: "pd", kind: "prefix", ranges: ["fd00::/32"] } }),
    fails(status.INVALID_ARGUMENT, /^pool\.length: /),
  );
});

test("an address is reserved for a switch port, listed, and let go; a stranger is not forgotten", async () => {
  const port = { relay: "127.64.0.1", circuitId: "Eth1/3" };
  const put = (more: object) =>
    operator.reservations.putReservation({ reservation: { segment: "bmc", address: "127.64.0.9", ...more } });
  assert.equal((await put({ port })).reservation?.identity, "port 127.64.0.1/457468312f33");
  const list = async () => (await operator.reservations.listReservations({ segment: "bmc" })).reservations;
  const [row] = await eventually(list, ({ length }) => length > 0);
  assert.deepEqual([row?.address, row?.origin, row?.note], ["127.64.0.9", "declared", undefined]);
  assert.equal((await put({ port, note: "spare switch" })).reservation?.note, "spare switch");
  await eventually(list, ([one]) => one?.note === "spare switch");
  await assert.rejects(put({}), fails(status.INVALID_ARGUMENT, /want one of mac, uuid, clientId and port/));
  await assert.rejects(put({ mac: "02:00:00:00:00:01" }), fails(status.FAILED_PRECONDITION, /is reserved for port/));
  await operator.reservations.deleteReservation({ segment: "bmc", address: "127.64.0.9" });
  await eventually(list, ({ length }) => length === 0);
  await assert.rejects(
    operator.reservations.deleteInterface({ segment: "bmc", mac: "02:00:00:00:00:01" }),
    fails(status.NOT_FOUND, /has no interface 02:00:00:00:00:01/),
  );
});

test("leases and interfaces are listed, of one segment or of all; an unknown segment is NOT_FOUND", async () => {
  assert.deepEqual((await operator.ipam.listLeases({ segment: "bmc" })).leases, []);
  assert.deepEqual((await operator.ipam.listInterfaces({})).interfaces, []);
  await assert.rejects(operator.ipam.listLeases({ segment: "nobody" }), fails(status.NOT_FOUND, /no segment nobody/));
});

/** The reason of a refused call. */
const reasonOf = (call: Promise<unknown>) =>
  call.then(
    () => assert.fail("it is not refused"),
    (error: ServiceError) => reasonOfError(error),
  );

test("a refused edit reaches the client with its code and its facts", async () => {
  assert.deepEqual(await reasonOf(operator.ipam.drain({ name: "none", prefix: "" })), {
    reason: "segment-not-found",
    facts: { segment: "none" },
  });
  await operator.pools.putPool({ pool: { name: "one", kind: "integer", ranges: ["7"] } });
  await operator.pools.allocate({ pool: "one", owner: "a" });
  assert.deepEqual(await reasonOf(operator.pools.allocate({ pool: "one", owner: "b" })), {
    reason: "pool-exhausted",
    facts: { pool: "one", count: "1" },
  });
});
