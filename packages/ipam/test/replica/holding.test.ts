/** A replica holds the kinds and indexes that it was asked for, and its position advances over all other changes. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { systemClock } from "@firstlight/service";
import {
  untilCaughtUp,
  dnsName,
  domain,
  expected,
  iface,
  lease,
  ManualClock,
  MemorySource,
  name,
  prefix,
  segment,
  siteOf,
} from "@firstlight/kit";
import { createReplica, type Following } from "../../src/feed/follower.ts";
import { PgSource } from "../../src/feed/postgres.ts";
import { KINDS } from "../../src/feed/kinds.ts";
import { EVERYTHING, type Holding, INDEXES, type IndexName, KIND_NAMES, NEEDS } from "../../src/replica/holding.ts";
import type { Applied } from "../../src/feed/feed.ts";
import type { Kind, Reservation, Row } from "../../src/model/model.ts";
import type { Replica } from "../../src/replica/replica.ts";
import { bind, ground, ip, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());

const LEASES = { kinds: ["lease"], indexes: [] } as const satisfies Holding;

const RESERVATION: Reservation = {
  kind: "reservation",
  id: 1,
  version: 1,
  segment: 1,
  vrf: "default",
  address: ip("127.64.0.88"),
  identity: "mac 02:99:00:00:00:01",
  origin: "declared",
};

const ROWS: readonly Row[] = [
  domain(),
  segment(),
  prefix(),
  expected({ mac: 7, machine: "m7", address: "127.64.0.77" }),
  RESERVATION,
  iface({ label: "host-1" }),
  lease(),
  lease({ address: "fd00:0:0:100::", prefixLength: 56, iaid: 1 }),
  name(),
];

/** One call of each question, on rows that give an answer which is not empty. */
const QUESTIONS: { readonly [Q in keyof typeof NEEDS]: (replica: Replica) => unknown } = {
  segment: (replica) => replica.segment(1),
  segments: (replica) => [...replica.segments()],
  segmentOf: (replica) => replica.segmentOf(lease().address),
  prefixes: (replica) => replica.prefixes(1),
  prefixOf: (replica) => replica.prefixOf(lease().address),
  domain: (replica) => replica.domain(1),
  domainNamed: (replica) => replica.domainNamed(dnsName(domain().name)),
  domains: (replica) => [...replica.domains()],
  interface: (replica) => replica.interface(1, iface().identity),
  interfaceById: (replica) => replica.interfaceById(iface().id),
  interfacesOf: (replica) => replica.interfacesOf(iface().identity),
  labelled: (replica) => replica.labelled("host-1"),
  expected: (replica) => replica.expected(7),
  devicesOf: (replica) => replica.devicesOf("m7"),
  expectedDevices: (replica) => [...replica.expectedDevices()],
  lease: (replica) => replica.lease(lease().address),
  leaseOf: (replica) => replica.leaseOf(iface().id),
  delegatedTo: (replica) => replica.delegatedTo(iface().id),
  leases: (replica) => [...replica.leases()],
  leasesAt: (replica) => replica.leasesAt(lease().address),
  names: (replica) => [...replica.names(1)],
  namesAt: (replica) => replica.namesAt(dnsName(name().owner)),
  reservations: (replica) => [...replica.reservations()],
  ordered: ({ ordered }) => [...ordered.leases(), ...ordered.interfaces(), ...ordered.names(), ...ordered.devices()],
  candidate: (replica) => [
    replica.candidate(segment(), iface().identity),
    replica.candidate(segment(), 7),
    replica.candidate(segment(), 0x02_99_00_00_00_01),
  ],
};

const isKind = (need: Kind | IndexName): need is Kind => (KIND_NAMES as readonly string[]).includes(need);
const isIndex = (need: Kind | IndexName): need is IndexName => !isKind(need);

test("the full set has the kinds of the feed's registry, in the order of loading", () => {
  assert.deepEqual([...KIND_NAMES], Object.keys(KINDS.rows));
});

for (const question of Object.keys(QUESTIONS) as (keyof typeof NEEDS)[]) {
  test(`a replica that holds what \`${question}\` needs answers it as the full replica does`, async () => {
    await using full = await siteOf(ROWS, { ordered: true, holding: EVERYTHING });
    const needs: readonly (Kind | IndexName)[] = NEEDS[question];
    const holding = { kinds: needs.filter(isKind), indexes: needs.filter(isIndex) };
    await using part = await siteOf(ROWS, { ordered: true, holding });
    const answer = QUESTIONS[question](full.replica);
    assert.notDeepEqual(answer, []);
    assert.notEqual(answer, undefined);
    assert.deepEqual(QUESTIONS[question](part.replica), answer);
  });
}

const INDEXED = {
  interfaceByIdentity: "interface",
  interfaceByLabel: "labelled",
  leaseByInterface: "leaseOf",
} as const;

for (const [index, question] of Object.entries(INDEXED)) {
  test(`without the index ${index}, a call of \`${question}\` throws instead of finding nothing`, async () => {
    const indexes = INDEXES.filter((each) => each !== index);
    await using site = await siteOf(ROWS, { holding: { kinds: EVERYTHING.kinds, indexes } });
    assert.throws(() => QUESTIONS[question](site.replica), /without `/);
  });
}

test("a question about rows that are not held does not compile", async () => {
  await using site = await siteOf(ROWS, { holding: LEASES });
  const { replica } = site;
  assert.equal(replica.lease(lease().address)?.state, "bound");
  // @ts-expect-error: interfaces are not held
  assert.equal(replica.interfaceById(iface().id), undefined);
  // @ts-expect-error: leases are not indexed by interface
  assert.throws(() => replica.leaseOf(iface().id), /without `leaseByInterface`/);
});

test("a snapshot with other kinds is not used: the rows are loaded from the source", async () => {
  const folder = mkdtempSync(join(tmpdir(), "firstlight-holding-"));
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const snapshotFile = join(folder, "replica");
  const source = new MemorySource(ROWS);
  const clock = new ManualClock();
  const full = await createReplica(source, clock, { snapshotFile });
  await full.follower.stop();
  const reasons: unknown[] = [];
  const log = { info: (fields: object) => void reasons.push((fields as { because?: string }).because), warn() {} };
  await using following = await createReplica(source, clock, { snapshotFile, log, holding: LEASES });
  assert.equal(reasons[0], `it holds other kinds: ${KIND_NAMES.join(", ")}`);
  assert.equal(source.loads, 2);
  await untilCaughtUp(following.replica, source);
  await following.follower.stop();
  await using again = await createReplica(source, clock, { snapshotFile, holding: LEASES });
  assert.equal(source.loads, 2, "its own snapshot is used");
  assert.equal([...again.replica.leases()].length, 2);
});

async function reached({ replica }: Following<typeof LEASES>, wanted: number): Promise<void> {
  while (replica.at.position < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(replica.at.position, wanted);
}

test("on PostgreSQL, the position of a replica of leases advances over all other changes, also after a restart", async () => {
  const site = parts.use(await ground());
  site.sequencer({ pollMs: 5 });
  const open = site.segments["open"]!;
  const folder = mkdtempSync(join(tmpdir(), "firstlight-holding-"));
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));
  const source = parts.use(new PgSource({ url: site.url, name: "tftpd" }));
  let loads = 0;
  const info = (_: object, message: string): void => void (message === "replica loaded" && loads++);
  const start = (): Promise<Following<typeof LEASES>> =>
    createReplica(source, systemClock, {
      snapshotFile: join(folder, "replica"),
      holding: LEASES,
      log: { info, warn() {} },
      pollMs: 5,
    });
  const change = async (n: number): Promise<void> => {
    await site.store.putName({ domain: 1, owner: `n${n}.lab.test`, type: "A", data: "10.9.9.9", ttlSeconds: 60 }, "t");
    await site.store.commit([bind(open, stranger(n), `10.0.0.${20 + n}`)], "t");
    await site.drained();
  };
  const position = async (): Promise<number> => {
    const [head] = await site.sql<{ at: string }>("SELECT max(position) AS at FROM ipam.feed");
    return Number(head!.at);
  };

  await change(1);
  const first = await start();
  assert.equal(loads, 1);
  const changes: Applied[] = [];
  const from = first.replica.at.position;
  first.replica.follow((event) => void (event.is === "changes" && changes.push(...event.changes)));
  await change(2);
  await reached(first, await position());
  assert.deepEqual(
    changes.map((each) => each.position),
    changes.map((_, n) => from + 1 + n),
  );
  assert.deepEqual(new Set(changes.filter(({ is }) => is === "row").map(({ kind }) => kind)), new Set(["lease"]));
  assert.ok(
    changes.some(({ is, kind }) => is === "unread" && kind === "interface"),
    "an interface has changed",
  );
  assert.ok(
    changes.every((each) => each.is !== "unread" || !("row" in each)),
    "no row of another kind reaches the replica",
  );
  await first.follower.stop();

  await change(3);
  const second = await start();
  await reached(second, await position());
  assert.equal(loads, 1, "the snapshot is used, nothing is loaded again");
  await change(4);
  await reached(second, await position());
  for (const n of [1, 2, 3, 4]) assert.equal(second.replica.lease(ip(`10.0.0.${20 + n}`))?.state, "bound");
  await second.follower.stop();
});
