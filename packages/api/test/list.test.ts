/** What a list costs: counted in rows that are read, on a site with more rows than a page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OrderedRows, Replica } from "@firstlight/ipam";
import type { Store } from "@firstlight/ipam/store";
import { domain, expected, iface, lease, name, prefix, reservation, segment, siteOf } from "@firstlight/kit";
import { formatAddress } from "@firstlight/wire";
import { deviceHandlers } from "../src/ipam/device.ts";
import { reservationHandlers } from "../src/ipam/reservation.ts";
import { ipamHandlers } from "../src/ipam/handlers.ts";
import type { Call } from "../src/grpc/server.ts";

const ROWS = 3_000;
const PAGE = 50;
const BASE = 0x0a000010; // 10.0.0.16
const ids = Array.from({ length: ROWS }, (_, n) => n + 1);

const site = await siteOf(
  [
    domain(),
    segment(),
    prefix({ prefix: "10.0.0.0/16" }),
    ...ids.map((id) => iface({ id, identity: id })),
    ...ids.map((id) =>
      lease({ interface: id, identity: id, address: BASE + id, state: id % 3 === 0 ? "released" : "bound" }),
    ),
    ...ids.map((id) => name({ id, owner: `n${id}.rack.internal` })),
    ...ids.map((id) => expected({ mac: id, machine: `m${id}`, label: `m${id}` })),
    ...ids.map((id) => reservation({ id, address: BASE + id, identity: `client-id ${id}` })),
    ...ids.slice(1).map((id) => domain({ id, name: `d${id}.internal` })),
    ...ids.slice(1).map((id) => segment({ id, name: `s${id}` })),
  ],
  { ordered: true },
);
test.after(() => site[Symbol.asyncDispose]());

const walk = (): never => assert.fail("the list walks over every row");

/** The replica, with a count of the rows that a list takes from it. Walking over all rows of a kind is an error. */
function counted(): { readonly replica: Replica; readonly rows: () => number } {
  let rows = 0;
  function* counting<T>(all: Iterable<T>): Iterable<T> {
    for (const row of all) {
      rows++;
      yield row;
    }
  }
  const { ordered } = site.replica;
  const own: OrderedRows = {
    leases: (after, of) => counting(ordered.leases(after, of)),
    interfaces: (after, of) => counting(ordered.interfaces(after, of)),
    names: (after, of) => counting(ordered.names(after, of)),
    devices: (after) => counting(ordered.devices(after)),
    segments: (after) => counting(ordered.segments(after)),
    segmentNamed: (of) => ordered.segmentNamed(of),
    domains: (after) => counting(ordered.domains(after)),
    domainNamed: (of) => ordered.domainNamed(of),
    reservations: (after, of) => counting(ordered.reservations(after, of)),
    reservationKey: (row) => ordered.reservationKey(row),
    bound: (of, vrf) => ordered.bound(of, vrf),
    nameKey: (row) => ordered.nameKey(row),
  };
  const instead: Partial<Replica> = {
    ordered: own,
    leases: walk,
    expectedDevices: walk,
    names: walk,
    segments: walk,
    domains: walk,
    reservations: walk,
  };
  const replica = new Proxy(site.replica, {
    get(target, key) {
      if (key in instead) return instead[key as keyof Replica];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { replica, rows: () => rows };
}

const NO_STORE = {} as Store;
const CALL = {} as Call;
type Asked = { segment: string; domain: string; machine: string; pageSize: number; pageToken: string };
type Listed = { nextPageToken: string } & Record<string, unknown>;

function listOf(replica: Replica, kind: string): (asked: Asked) => Promise<Listed> {
  const handlers = {
    ...ipamHandlers(NO_STORE, replica),
    ...deviceHandlers(NO_STORE, replica),
    ...reservationHandlers(NO_STORE, replica),
  };
  const list = handlers[`list${kind}` as keyof typeof handlers] as unknown as (asked: Asked, call: Call) => unknown;
  return async (asked) => (await list(asked, CALL)) as Listed;
}

const asked = { segment: "", domain: "", machine: "", pageSize: PAGE, pageToken: "" };

interface Shown {
  readonly owner?: string;
  readonly id?: bigint;
  readonly mac?: string;
  readonly name?: string;
  readonly address?: string;
}

const keyOf = ({ owner, id, mac, name, address }: Shown): string => String(owner ?? id ?? mac ?? name ?? address);

for (const kind of ["Leases", "Interfaces", "Names", "Devices", "Reservations", "Segments", "Domains"]) {
  test(`a page of List${kind} reads one row more than it shows, wherever it lies`, async () => {
    const { replica, rows } = counted();
    const list = listOf(replica, kind);
    const seen = new Set<string>();
    let pages = 0;
    for (let pageToken = ""; ; pages++) {
      const page = await list({ ...asked, pageToken });
      const shown = page[kind.toLowerCase()] as Shown[];
      for (const row of shown) seen.add(keyOf(row));
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
      assert.equal(shown.length, PAGE);
    }
    assert.equal(seen.size, ROWS);
    assert.ok(rows() <= ROWS + pages, `${rows()} rows were read`);
  });
}

test("ListSegments reads no lease to count those that are bound", async () => {
  const { replica, rows } = counted();
  const { segments } = (await listOf(replica, "Segments")(asked)) as unknown as {
    segments: { name: string; prefixes: { bound: bigint }[] }[];
  };
  assert.equal(
    segments.find(({ name: of }) => of === segment().name)!.prefixes[0]!.bound,
    BigInt(ids.filter((id) => id % 3 !== 0).length),
  );
  assert.equal(rows(), PAGE + 1, "segments of the page and one more");
});

test("a list of one segment has its rows only, and a segment that does not exist is NOT_FOUND", async () => {
  const list = listOf(site.replica, "Reservations");
  const own = await list({ ...asked, segment: segment().name, pageSize: 1_000 });
  assert.equal((own["reservations"] as unknown[]).length, 1_000);
  assert.deepEqual((await list({ ...asked, segment: "s2" }))["reservations"], []);
  await assert.rejects(() => list({ ...asked, segment: "nowhere" }), /nowhere/);
});

test("leases are listed from the address that the token says, in the order of addresses", async () => {
  const list = listOf(site.replica, "Leases");
  const first = await list({ ...asked, segment: segment().name, pageSize: 2 });
  assert.equal(first.nextPageToken, `default/4/${(BASE + 2).toString(16).padStart(32, "0")}`);
  const next = (await list({ ...asked, pageSize: 1, pageToken: first.nextPageToken })) as unknown as {
    leases: { address: string }[];
  };
  assert.deepEqual(
    next.leases.map(({ address }) => address),
    [formatAddress(BASE + 3)],
  );
  await assert.rejects(() => list({ ...asked, pageToken: "nonsense" }), /none of ours/);
});

test("an interface is listed whose lease went to another one", async () => {
  const lost = iface({ id: ROWS + 1, identity: ROWS + 1 });
  await using other = await siteOf([domain(), segment(), prefix(), lost], { ordered: true });
  const { interfaces } = (await listOf(other.replica, "Interfaces")(asked)) as unknown as {
    interfaces: { id: bigint; address: string }[];
  };
  assert.deepEqual(
    interfaces.map(({ id, address }) => [id, address]),
    [[BigInt(lost.id), ""]],
  );
});

test("a client without a MAC is shown by its identity, and a delegated prefix with its length and association", async () => {
  const identity = "duid 0003000102f100000009";
  const own = { id: ROWS + 2, identity };
  const delegated = lease({
    interface: own.id,
    identity,
    address: 0xfd00_0000_0000_0000_0000_0000_0000_0000n,
    iaid: 7,
    prefixLength: 56,
  });
  await using other = await siteOf([domain(), segment(), prefix(), iface(own), delegated], { ordered: true });
  const { interfaces } = (await listOf(other.replica, "Interfaces")(asked)) as {
    interfaces?: Record<string, unknown>[];
  };
  const { leases } = (await listOf(other.replica, "Leases")(asked)) as { leases?: Record<string, unknown>[] };
  assert.partialDeepStrictEqual(interfaces, [{ mac: "", identity }]);
  assert.partialDeepStrictEqual(leases, [{ mac: "", identity, address: "fd00::", iaid: 7, prefixLength: 56 }]);
});
