/** A prefix or a segment that runs empty: from its first word to its deletion. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { CLOCK_START, prefix, segment } from "@firstlight/kit";
import { type Prefix, parsePrefix, assertParsed } from "@firstlight/wire";
import { ipamSchema } from "../../../src/config.ts";
import { termOf } from "../../../src/policy/drain.ts";
import type { PrefixRow, Segment } from "../../../src/model/model.ts";
import { type PrefixEdit, Refused, type SegmentEdit } from "../../../src/store/store.ts";
import { back, bind, ground, HOST, ip, said, SITE, stranger } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, sql } = site;
const commit = async (...batch: Parameters<typeof store.commit>[0]): Promise<string[]> =>
  (await store.commit(batch, "t")).map(said);

const MINUTE = 60_000;
const net = (text: string): Prefix => assertParsed(parsePrefix(text), text);
const edit = (text: string): PrefixEdit => ({ prefix: net(text), reserved: 1, excluded: [] });

async function refused(act: Promise<unknown>, because: RegExp): Promise<void> {
  await assert.rejects(act, (error: Error) => {
    assert.ok(error instanceof Refused, error.stack);
    assert.match(error.message, because);
    return true;
  });
}

/** A segment of two prefixes, the old one and the one that is to take its place. */
async function twoPrefixes(name: string, third: number, more: Partial<SegmentEdit> = {}): Promise<number> {
  const { id } = await store.createSegment(
    {
      name,
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
      prefixes: [edit(`10.${third}.0.0/24`), edit(`10.${third}.1.0/24`)],
      ...more,
    },
    "t",
  );
  return id;
}

const term = (
  of: Partial<Segment>,
  row: Partial<PrefixRow>,
  minutes: number,
  hasElsewhere = true,
  isRenewing = true,
) => {
  const asked = { now: CLOCK_START + minutes * MINUTE, isRenewing, hasElsewhere: () => hasElsewhere };
  const { leaseSeconds, because } = termOf(segment(of), { ...prefix(), ...row }, asked);
  return because ?? leaseSeconds;
};

test("a lease in what drains ends with the drain; then its holder moves, or stays a little at a time where it has nowhere to go", () => {
  const draining = { state: "draining" as const, drainBy: CLOCK_START + 60 * MINUTE };
  assert.equal(term({}, {}, 0), 3600);
  assert.equal(term({}, draining, 0), 3600);
  assert.equal(term({}, draining, 30), 1800);
  assert.equal(term({}, draining, 59), 60);
  assert.equal(term({}, draining, 59.5), "prefix-draining");
  assert.equal(term({}, draining, 59.5, false), 300);
  assert.equal(term({}, draining, 0, true, false), "prefix-draining", "who begins anew moves at once");
  assert.equal(term({}, draining, 0, false, false), 300);
  assert.equal(
    term({ ...draining, drainBy: CLOCK_START + 10 * MINUTE }, draining, 0),
    600,
    "the earlier end of the two",
  );
  assert.equal(term({ leaseSeconds: 120 }, draining, 0), 120);
});

test("what drains gives nothing new; its holders renew, move and leave it empty, and it goes without a word", async () => {
  const id = await twoPrefixes("west", 20);
  assert.deepEqual(await commit(bind(id, stranger(1), "10.20.0.20"), bind(id, HOST, "10.20.0.21")), [
    "bound 10.20.0.20",
    "bound 10.20.0.21",
  ]);
  await refused(
    store.drain("west", net("10.20.9.0/24"), "draining", "t"),
    /^segment west has no prefix 10\.20\.9\.0\/24$/,
  );
  await store.drain("west", net("10.20.0.0/24"), "draining", "operator/test");
  const [row] = await sql<{ seconds: number }>(
    "SELECT round(extract(epoch FROM drain_by - now()))::int AS seconds FROM ipam.prefix WHERE prefix = '10.20.0.0/24'",
  );
  assert.ok(row!.seconds > 590 && row!.seconds <= 600, "one lease from now on");
  await store.drain("west", net("10.20.0.0/24"), "draining", "operator/again");
  assert.equal((await sql("SELECT 1 FROM ipam.change_pending WHERE actor = 'operator/again'")).length, 0);

  assert.deepEqual(await commit(bind(id, stranger(2), "10.20.0.30"), bind(id, stranger(1), "10.20.0.20")), [
    "prefix-draining",
    "bound 10.20.0.20",
  ]);
  const empty = (): Promise<unknown> =>
    store.updateSegment("west", { prefixes: [edit("10.20.1.0/24")] }, "operator/test");
  await refused(
    empty(),
    /^segment west: the edit would orphan 10\.20\.0\.20 \(bound to 02:ff:00:00:00:01\), 10\.20\.0\.21/,
  );
  assert.deepEqual(await commit(bind(id, stranger(1), "10.20.1.20")), ["bound 10.20.1.20"]);
  await refused(
    empty(),
    /^segment west: the edit would orphan 10\.20\.0\.21 \(bound to 02:00:00:00:01:01 of machine r1\)$/,
  );
  // The machine was switched off: its promise is over, and when it comes again it moves.
  await sql("UPDATE ipam.lease SET expires_at = now() - interval '1 s' WHERE address = '10.20.0.21'");
  await empty();
  assert.deepEqual(
    await sql("SELECT state, reusable_at > now() AS rests FROM ipam.lease WHERE address = '10.20.0.21'"),
    [{ state: "released", rests: true }],
  );
  assert.deepEqual(await commit(bind(id, HOST, "10.20.1.21")), ["bound 10.20.1.21"]);
});

test("without a drain a machine that is switched off keeps its prefix", async () => {
  const id = await twoPrefixes("east", 21);
  await commit(bind(id, HOST, "10.21.0.21"));
  await sql("UPDATE ipam.lease SET expires_at = now() - interval '1 s' WHERE address = '10.21.0.21'");
  await refused(store.updateSegment("east", { prefixes: [edit("10.21.1.0/24")] }, "t"), /orphan 10\.21\.0\.21/);
});

test("a kept address is given up for one elsewhere: a drain reaches holders of every policy", async () => {
  const id = await twoPrefixes("kept", 22, { policy: "retained" });
  await commit(bind(id, stranger(3), "10.22.0.20"));
  assert.deepEqual(await commit(bind(id, stranger(3), "10.22.1.20")), ["interface-holds-another-address"]);
  await store.drain("kept", net("10.22.0.0/24"), "draining", "t");
  assert.deepEqual(await commit(bind(id, stranger(3), "10.22.1.20")), ["bound 10.22.1.20"]);
  await store.updateSegment("kept", { prefixes: [edit("10.22.1.0/24")] }, "t");
});

test("what drains is not taken back over the head of who would be outside its role's pool then", async () => {
  const id = await twoPrefixes("back", 26);
  await commit(bind(id, stranger(8), "10.26.0.20"));
  await store.drain("back", net("10.26.0.0/24"), "draining", "t");
  const pool = { first: ip("10.26.0.16"), last: ip("10.26.0.31"), roles: ["host_bmc"] as const };
  await store.updateSegment(
    "back",
    { prefixes: [{ ...edit("10.26.0.0/24"), pools: [pool] }, edit("10.26.1.0/24")] },
    "t",
  );
  assert.deepEqual(await commit(bind(id, stranger(8), "10.26.0.20")), ["bound 10.26.0.20"], "it renews to the end");
  await refused(
    store.drain("back", net("10.26.0.0/24"), "active", "t"),
    /^segment back: the edit would leave 10\.26\.0\.20 \(bound to 02:ff:00:00:00:08, other\) outside the pools of its role$/,
  );
  await commit(bind(id, stranger(8), "10.26.1.20"));
  await store.drain("back", net("10.26.0.0/24"), "active", "t");
});

test("what is declared stays where it is declared, and is what stands in the way", async () => {
  const id = await twoPrefixes("named", 23);
  await store.putReservation({ segment: "named", address: ip("10.23.0.9"), identity: "mac 02:ff:00:00:00:04" }, "t");
  await store.drain("named", net("10.23.0.0/24"), "draining", "t");
  assert.deepEqual(await commit(bind(id, stranger(4), "10.23.0.9")), ["bound 10.23.0.9"]);
  await sql("UPDATE ipam.lease SET expires_at = now() - interval '1 s' WHERE address = '10.23.0.9'");
  await refused(
    store.updateSegment("named", { prefixes: [edit("10.23.1.0/24")] }, "t"),
    /orphan 10\.23\.0\.9 \(reserved for mac 02:ff:00:00:00:04\)$/,
  );
});

test("a segment drains as a whole, is taken back, and goes when its addresses have rested", async () => {
  const id = await twoPrefixes("hall", 24, { policy: "retained", drainSeconds: 7200 });
  await commit(bind(id, stranger(6), "10.24.0.20"));
  const { segment: drained } = await store.drain("hall", undefined, "draining", "t");
  assert.equal(drained.state, "draining");
  assert.ok(drained.drainBy! - Date.now() > 7_000_000);
  assert.deepEqual(await commit(bind(id, stranger(7), "10.24.1.20")), ["prefix-draining"]);
  const { segment: active } = await store.drain("hall", undefined, "active", "t");
  assert.deepEqual([active.state, active.drainBy], ["active", undefined]);
  assert.deepEqual(await commit(bind(id, stranger(7), "10.24.1.20")), ["bound 10.24.1.20"]);
  await store.drain("hall", undefined, "draining", "t");
  await commit(back("release", id, stranger(6), "10.24.0.20"), back("release", id, stranger(7), "10.24.1.20"));
  await refused(store.deleteSegment("hall", "t"), /^segment hall: in use by 10\.24\.0\.20 \(released by/);
  await sql("UPDATE ipam.lease SET reusable_at = now() WHERE segment = $1", [id]);
  await store.deleteSegment("hall", "t");
});

const file = (more: object, prefixMore: object) => ({
  ...SITE,
  ipam: ipamSchema.parse({
    domains: [{ name: "lab.test" }],
    segments: [{ name: "f", domain: "lab.test", ...more, prefixes: [{ prefix: "10.25.0.0/24", ...prefixMore }] }],
  }),
});
const states = async () =>
  (
    await sql<{ all: string }>(
      `SELECT concat_ws(' ', s.state, s.drain_by IS NOT NULL, p.state, p.drain_by IS NOT NULL) AS all
     FROM ipam.segment s JOIN ipam.prefix p ON p.segment = s.id WHERE s.name = 'f'`,
    )
  )[0]?.all;

test("the file sets the state, and leaves it as it is where it does not speak of it", async () => {
  await store.declare(file({ state: "draining" }, {}), "config");
  assert.equal(await states(), "draining t active f");
  await store.drain("f", net("10.25.0.0/24"), "draining", "t");
  assert.deepEqual((await store.declare(file({}, {}), "config")).changed, []);
  assert.equal(await states(), "draining t draining t");
  await store.declare(file({ state: "active" }, { state: "active" }), "config");
  assert.equal(await states(), "active f active f");
});
