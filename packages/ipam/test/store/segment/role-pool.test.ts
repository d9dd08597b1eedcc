/** Role pools and drain as the database has the last word on them, under any sequence and several writers at once. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { formatAddress, formatMac, parsePrefix, assertParsed } from "@firstlight/wire";
import * as fc from "fast-check";
import { isInPool } from "../../../src/allocation/parcel.ts";
import { macOf } from "../../../src/model/identity.ts";
import type { PrefixRow, Role, RolePool } from "../../../src/model/model.ts";
import { PgSource } from "../../../src/feed/postgres.ts";
import { type PrefixEdit, Refused } from "../../../src/store/store.ts";
import { back, bind, ground, ip, mac, said, stranger } from "../../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
const { store, sql } = site;
const stores = [store, site.anotherStore(), site.anotherStore()];
const source = parts.use(new PgSource({ url: site.url, name: "pools" }));
const open = site.segments["open"]!;

const BMC = mac("02:00:00:00:07:01");
const pool = (first: string, last: string, ...roles: Role[]): RolePool => ({ first: ip(first), last: ip(last), roles });
const NET: PrefixEdit = {
  prefix: assertParsed(parsePrefix("10.0.0.0/24"), "prefix"),
  gateway: ip("10.0.0.1"),
  reserved: 3,
  excluded: [ip("10.0.0.9")],
};
const edit = (...pools: RolePool[]): Promise<unknown> =>
  store.updateSegment("open", { prefixes: [{ ...NET, pools }] }, "operator/test");
const commit = async (...batch: Parameters<typeof store.commit>[0]): Promise<string[]> =>
  (await store.commit(batch, "t")).map(said);

async function refused(act: Promise<unknown>, because: RegExp): Promise<void> {
  await assert.rejects(act, (error: Error) => {
    assert.ok(error instanceof Refused, error.stack);
    assert.match(error.message, because);
    return true;
  });
}

function expectAs(device: number, role: Role, address?: string): Promise<void> {
  const label = formatMac(device).replaceAll(":", "");
  return store.expect(
    [{ mac: device, machine: label, role, label, ...(address !== undefined && { address: ip(address) }) }],
    "t",
  );
}

test("an address is bound in the pool of the interface's role alone; what is declared may lie elsewhere", async () => {
  await expectAs(BMC, "host_bmc");
  await edit(pool("10.0.0.64", "10.0.0.95", "host_bmc", "dpu_bmc"));
  assert.deepEqual(await commit(bind(open, BMC, "10.0.0.100"), bind(open, stranger(1), "10.0.0.70")), [
    "address-not-in-pool",
    "address-not-in-pool",
  ]);
  assert.deepEqual(await commit(bind(open, BMC, "10.0.0.70"), bind(open, stranger(1), "10.0.0.100")), [
    "bound 10.0.0.70",
    "bound 10.0.0.100",
  ]);
  const fixed = mac("02:00:00:00:07:02");
  await expectAs(fixed, "host_bmc", "10.0.0.20");
  assert.deepEqual(await commit(bind(open, fixed, "10.0.0.20")), ["bound 10.0.0.20"]);
});

test("pools shrink where they are free, and are refused with address, holder and role where they are not", async () => {
  await edit(pool("10.0.0.64", "10.0.0.79", "host_bmc"));
  const leaves =
    /^segment open: the edit would leave 10\.0\.0\.70 \(bound to 02:00:00:00:07:01, host_bmc\) outside the/;
  await refused(edit(pool("10.0.0.64", "10.0.0.69", "host_bmc")), leaves);
  await refused(edit(pool("10.0.0.64", "10.0.0.79", "dpu_bmc")), leaves);
  await refused(edit(pool("10.0.0.96", "10.0.0.127", "dpu_oob")), /leave 10\.0\.0\.100 \(bound to 02:ff:.*, other\)/);
  await refused(
    edit(pool("10.0.1.0", "10.0.1.9", "host")),
    /^prefix 10\.0\.0\.0\/24: pool 10\.0\.1\.0-10\.0\.1\.9 is not/,
  );
  await refused(edit(pool("10.0.0.9", "10.0.0.5", "host")), /pool 10\.0\.0\.9-10\.0\.0\.5 ends before it begins$/);
  await refused(
    edit(pool("10.0.0.40", "10.0.0.49", "host"), pool("10.0.0.49", "10.0.0.50", "host")),
    /pool 10\.0\.0\.40-10\.0\.0\.49 overlaps 10\.0\.0\.49-10\.0\.0\.50$/,
  );
  await edit();
});

test("a device whose role changes is refused its renewal, and bound in its own pool, whatever policy it had", async () => {
  const { id } = await store.createSegment(
    {
      name: "kept",
      is: "underlay",
      domain: "lab.test",
      vrf: "default",
      mtu: 1500,
      leaseSeconds: 600,
      graceSeconds: 60,
      admission: "open",
      allocation: "dynamic",
      policy: "retained",
      naming: "address",
      options: {},
      boots: true,
      prefixes: [
        {
          prefix: assertParsed(parsePrefix("10.9.0.0/24"), "prefix"),
          reserved: 1,
          excluded: [],
          pools: [pool("10.9.0.64", "10.9.0.95", "dpu_bmc")],
        },
      ],
    },
    "t",
  );
  assert.deepEqual(await commit(bind(id, stranger(5), "10.9.0.5")), ["bound 10.9.0.5"]);
  assert.deepEqual(await commit(bind(id, stranger(5), "10.9.0.6")), ["interface-holds-another-address"]);
  await expectAs(stranger(5), "dpu_bmc");
  assert.deepEqual(await commit(bind(id, stranger(5), "10.9.0.5")), ["address-not-in-pool"]);
  assert.deepEqual(await commit(bind(id, stranger(5), "10.9.0.70")), ["bound 10.9.0.70"]);
  assert.deepEqual(await commit(bind(id, stranger(5), "10.9.0.71")), ["interface-holds-another-address"]);
});

const ROLES: readonly Role[] = ["host", "host_bmc", "dpu_bmc", "other"];
const device = (n: number): number => mac("02:00:00:00:08:00") + n;

const act = fc
  .record({ mac: fc.nat(7), net: fc.nat(1), host: fc.integer({ min: 2, max: 14 }), is: fc.nat(5) })
  .map(({ mac: n, net, host, is }) => {
    const address = `10.10.${net}.${host}`;
    return is < 4 ? bind(0, device(n), address) : back(is === 4 ? "release" : "decline", 0, device(n), address);
  });
const batch = fc.uniqueArray(act, { maxLength: 4, selector: ({ identity: mac }) => mac });
const pools = fc
  .uniqueArray(fc.integer({ min: 1, max: 14 }), { minLength: 0, maxLength: 6 })
  .map((cuts) => cuts.toSorted((a, b) => a - b))
  .chain((cuts) =>
    fc.tuple(
      ...Array.from({ length: Math.floor(cuts.length / 2) }, (_, n) =>
        fc
          .uniqueArray(fc.constantFrom(...ROLES), { minLength: 1, maxLength: 2 })
          .map((roles) => pool(`10.10.0.${cuts[2 * n]!}`, `10.10.0.${cuts[2 * n + 1]!}`, ...roles)),
      ),
    ),
  );
const round = fc.record({
  pools: fc.option(pools),
  drain: fc.option(fc.record({ net: fc.nat(1), state: fc.constantFrom("active" as const, "draining" as const) })),
  becomes: fc.option(fc.record({ mac: fc.nat(7), role: fc.constantFrom(...ROLES) })),
  batches: fc.tuple(batch, batch, batch),
  hours: fc.constantFrom(0, 0, 30),
});

test("three writers, edits and drains between them: nothing is bound outside its role's pool, nothing new in what drains", async () => {
  const nets = ["10.10.0.0/28", "10.10.1.0/28"].map((text) => assertParsed(parsePrefix(text), text));
  const { id } = await store.createSegment(
    {
      name: "law",
      is: "underlay",
      domain: "lab.test",
      vrf: "default",
      mtu: 1500,
      leaseSeconds: 600,
      graceSeconds: 3600,
      admission: "open",
      allocation: "dynamic",
      policy: "dynamic",
      naming: "address",
      options: {},
      boots: true,
      prefixes: nets.map((prefix) => ({ prefix, reserved: 1, excluded: [] })),
    },
    "t",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 5 }), async (rounds) => {
      for (const { pools, drain, becomes, batches, hours } of rounds) {
        if (becomes) await expectAs(device(becomes.mac), becomes.role);
        if (drain) await tried(store.drain("law", nets[drain.net], drain.state, "t"));
        if (pools) await tried(store.updateSegment("law", { prefixes: prefixesOf(nets, pools) }, "t"));
        const [rows, roles, before] = [await prefixRows(id), await rolesOf(), await holders(id)];
        const outcomes = await Promise.all(
          batches.map((batch, n) =>
            stores[n]!.commit(
              batch.map((one) => ({ ...one, segment: id })),
              "law",
            ),
          ),
        );
        for (const outcome of outcomes.flat()) {
          if (outcome.is !== "bound") continue;
          const { identity: mac, address } = outcome.lease;
          const row = rows.find(
            ({ prefix }) => formatAddress(prefix.address).slice(0, 8) === formatAddress(address).slice(0, 8),
          )!;
          const role = roles.get(macOf(mac)!) ?? "other";
          const active = rows.filter(({ state }) => state !== "draining");
          if (row.state === "draining") assert.equal(before.get(address), mac, "nothing new in what drains");
          else assert.ok(isInPool(active, row, role, address), `${role} has ${formatAddress(address)}`);
        }
        await mustAgree(id, rows);
        if (hours > 0) await pass(hours);
      }
    }),
    { numRuns: 15 },
  );
});

const prefixesOf = (nets: readonly PrefixEdit["prefix"][], pools: readonly RolePool[]): PrefixEdit[] =>
  nets.map((prefix, n) => ({ prefix, reserved: 1, excluded: [], pools: n === 0 ? pools : [] }));

/** An edit that would leave somebody outside is refused, and changes nothing. */
async function tried(edit: Promise<unknown>): Promise<void> {
  await edit.catch((error: unknown) => assert.ok(error instanceof Refused, String(error)));
}

async function prefixRows(segment: number): Promise<PrefixRow[]> {
  const rows: PrefixRow[] = [];
  for await (const some of (await source.load()).rows)
    for (const row of some) if (row.kind === "prefix" && row.segment === segment) rows.push(row);
  return rows;
}

async function rolesOf(): Promise<Map<number, Role>> {
  const rows = await sql<{ mac: string; role: Role }>("SELECT mac::text, role FROM ipam.expected_device");
  return new Map(rows.map((row) => [mac(row.mac), row.role]));
}

async function holders(segment: number): Promise<Map<unknown, number>> {
  const rows = await sql<{ address: string; mac: string }>(
    "SELECT host(address) AS address, mac::text FROM ipam.lease WHERE segment = $1",
    [segment],
  );
  return new Map(rows.map((row) => [ip(row.address), mac(row.mac)]));
}

/** The database's judgement and the replica's are one. */
async function mustAgree(segment: number, rows: readonly PrefixRow[]): Promise<void> {
  const active = rows.filter(({ state }) => state !== "draining");
  const addresses = active.flatMap((row) =>
    Array.from({ length: 16 }, (_, n) => [row, (row.prefix.address as number) + n] as const),
  );
  const asked = addresses.flatMap(([row, address]) => ROLES.map((role) => ({ row, address, role })));
  const said = await sql<{ suits: boolean }>(
    "SELECT ipam.suits($1, r, a) AS suits FROM unnest($2::text[], $3::inet[]) WITH ORDINALITY u (r, a, n) ORDER BY n",
    [segment, asked.map(({ role }) => role), asked.map(({ address }) => formatAddress(address))],
  );
  assert.deepEqual(
    said.map(({ suits }) => suits),
    asked.map(({ row, address, role }) => isInPool(active, row, role, address)),
  );
}

async function pass(hours: number): Promise<void> {
  await sql(
    `UPDATE ipam.lease SET starts_at = starts_at - $1::interval, expires_at = expires_at - $1::interval,
       reusable_at = reusable_at - $1::interval, version = nextval('ipam.version')`,
    [`${hours} hours`],
  );
}
