/** Devices that turn up elsewhere, and devices that were foretold. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import {
  dataText,
  CLOCK_START,
  dnsName,
  domain,
  iface,
  lease,
  ManualClock,
  prefix,
  readPrefix,
  segment,
} from "@firstlight/kit";
import { Memory } from "../../../src/replica/memory/memory.ts";
import { Tables } from "../../../src/replica/memory/tables.ts";
import type { Row, Segment } from "../../../src/model/model.ts";
import { recordsAt } from "../../../src/names/records.ts";
import { type Json, rowFrom, TABLES } from "../../../src/database/rows.ts";
import { ipamSchema, expectedMachinesSchema } from "../../../src/config.ts";
import { MOST_MOVES, relocationOf, relocationEventOf, type OtherInterface } from "../../../src/policy/relocation.ts";
import { bind, ground, mac, said, stranger } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, sql } = site;

const NETS = { a: "10.40.0", b: "10.40.1", kept: "10.40.2", inband: "10.40.3", shut: "10.40.4" } as const;
const HOSTS = Array.from({ length: 9 }, (_, n) => mac(`02:00:00:00:0f:0${n}`));
const { segments } = await store.declare(
  {
    ipam: ipamSchema.parse({
      domains: [{ name: "lab.test" }],
      segments: Object.entries(NETS).map(([name, net]) => ({
        name,
        domain: "lab.test",
        ...(name === "kept" && { policy: "retained" }),
        ...(name === "inband" && { kind: "host_inband" }),
        prefixes: [{ prefix: `${net}.0/24` }],
      })),
    }),
    expectedMachines: expectedMachinesSchema.parse(
      HOSTS.map((_, n) => ({ name: `h${n}`, interfaces: [{ mac: `02:00:00:00:0f:0${n}`, role: "host" }] })),
    ),
  },
  "config",
);
const ids = Object.fromEntries(segments.map(({ name, id }) => [name, id])) as Record<keyof typeof NETS, number>;
await sql("UPDATE ipam.segment SET rehome = 'refuse' WHERE name = 'shut'");

const at = async (place: keyof typeof NETS, device: number, host: number): Promise<string> =>
  said((await store.commit([bind(ids[place], device, `${NETS[place]}.${host}`)], "daemon/dhcpd"))[0]);

interface Place {
  readonly segment: string;
  readonly label: string | null;
  readonly machine: string | null;
  readonly state: string | null;
  readonly lease: string | null;
}
const placesOf = (device: number): Promise<Place[]> =>
  sql<Place>(
    `SELECT s.name AS segment, i.label, i.machine, i.state, l.state AS lease FROM ipam.interface i JOIN ipam.segment s ON s.id = i.segment
     LEFT JOIN ipam.lease l ON l.interface = i.id WHERE i.mac = $1::macaddr ORDER BY s.id`,
    [Array.from(device.toString(16).padStart(12, "0").matchAll(/../g)).join(":")],
  );
const tell = (): Promise<{ is: string; from: string; was: string; segment: string; address: string }[]> =>
  sql(`SELECT "row" ->> 'is' AS is, "row" ->> 'from' AS "from", "row" ->> 'was' AS was, "row" ->> 'segment' AS segment,
    "row" ->> 'address' AS address FROM ipam.change_pending WHERE kind = 'arrival' ORDER BY version`);

test("a device that turns up elsewhere takes its machine and its name along, and no promise is cut", async () => {
  const [host] = HOSTS;
  await at("a", host!, 10);
  const [before] = await sql("SELECT expires_at, reusable_at FROM ipam.lease WHERE address = '10.40.0.10'");
  assert.equal(await at("b", host!, 10), "bound 10.40.1.10");
  assert.deepEqual(await placesOf(host!), [
    { segment: "a", label: null, machine: null, state: "away", lease: "released" },
    { segment: "b", label: "h0", machine: "h0", state: null, lease: "bound" },
  ]);
  const [now] = await sql("SELECT expires_at, reusable_at FROM ipam.lease WHERE address = '10.40.0.10'");
  assert.deepEqual(now, before);
  assert.equal(await at("a", stranger(1), 10), "address-resting");
  assert.deepEqual(await sql("SELECT FROM ipam.change_pending WHERE kind = 'collision'"), []);
  assert.deepEqual(await names("h0.lab.test"), ["A 10.40.1.10"]);
  assert.deepEqual(await names("h0.adm.lab.test"), ["A 10.40.1.10"]);
  assert.deepEqual(await names("10.0.40.10.in-addr.arpa"), []);
  assert.deepEqual(await tell(), [{ is: "moved", from: "a", was: "10.40.0.10", segment: "b", address: "10.40.1.10" }]);
  await sql(
    "UPDATE ipam.lease SET expires_at = now() - interval '2 days', reusable_at = now() WHERE address = '10.40.0.10'",
  );
  assert.equal(await at("a", stranger(1), 10), "bound 10.40.0.10", "the machine does not count on it any more");
});

test("what its policy keeps for it is still its own when it comes home", async () => {
  const host = HOSTS[1]!;
  await at("kept", host, 20);
  await at("a", host, 21);
  await sql(
    "UPDATE ipam.lease SET expires_at = now() - interval '2 days', reusable_at = now() WHERE address = '10.40.2.20'",
  );
  assert.equal(await at("kept", stranger(2), 20), "address-bound-elsewhere");
  assert.equal(await at("kept", host, 20), "bound 10.40.2.20");
  assert.deepEqual(
    (await placesOf(host)).map(({ segment, label, state }) => [segment, label, state]),
    [
      ["a", null, "away"],
      ["kept", "h1", null],
    ],
  );
});

test("where machines are somebody else's, a name waits until the promise is over", async () => {
  const host = HOSTS[2]!;
  await sql("UPDATE ipam.segment SET rehome = 'keep' WHERE name = 'a'");
  await at("a", host, 30);
  await at("b", host, 30);
  assert.deepEqual(
    (await placesOf(host)).map(({ segment, label, state, lease }) => [segment, label, state, lease]),
    [
      ["a", "h2", null, "bound"],
      ["b", null, null, "bound"],
    ],
  );
  await sql("UPDATE ipam.segment SET rehome = NULL WHERE name = 'a'");
});

test("a segment of another kind is no place to move to", async () => {
  const host = HOSTS[3]!;
  await at("a", host, 40);
  await at("inband", host, 40);
  assert.deepEqual(
    (await placesOf(host)).map(({ state, lease }) => [state, lease]),
    [
      [null, "bound"],
      [null, "bound"],
    ],
  );
});

test("a segment that refuses keeps its devices until their promise is over", async () => {
  const host = HOSTS[4]!;
  await at("shut", host, 50);
  assert.equal(await at("b", host, 50), "device-on-another-segment");
  await sql("UPDATE ipam.lease SET expires_at = now() WHERE address = '10.40.4.50'");
  assert.equal(await at("b", host, 50), "bound 10.40.1.50");
});

test("who goes to and fro lives in both places, and that is said once", async () => {
  const host = HOSTS[5]!;
  const before = (await tell()).length;
  for (let round = 0; round < 6; round++) {
    assert.equal(await at("a", host, 60), "bound 10.40.0.60");
    assert.equal(await at("b", host, 60), "bound 10.40.1.60");
  }
  assert.deepEqual(
    (await tell()).slice(before).map(({ is, from }) => `${is} ${from}`),
    ["moved a", "moved b", "moved a", "alternates b"],
  );
  assert.deepEqual(
    (await placesOf(host)).map(({ segment, label, state, lease }) => [segment, label, state, lease]),
    [
      ["a", null, null, "bound"],
      ["b", "h5", null, "bound"],
    ],
  );
});

test("a batch moves many at once, and a stranger has nothing to take along", async () => {
  const both = [HOSTS[6]!, stranger(9)];
  for (const place of ["a", "b"] as const) {
    const outcomes = await store.commit(
      both.map((one, n) => bind(ids[place], one, `${NETS[place]}.${70 + n}`)),
      "t",
    );
    assert.deepEqual(outcomes.map(said), [`bound ${NETS[place]}.70`, `bound ${NETS[place]}.71`]);
    const label = outcomes[0]?.is === "bound" ? outcomes[0].interface.label : undefined;
    assert.equal(label, "h6", "who answers it knows its name at once");
  }
});

test("what a segment holds on to is offered nothing elsewhere, until its promise is over", () => {
  const memory = new Memory(new ManualClock());
  const tables = new Tables();
  const there = segment({ id: 2, name: "there", rehome: "refuse" });
  const rows = [
    domain(),
    segment(),
    there,
    prefix(),
    prefix({ id: 2, segment: 2, prefix: readPrefix("127.65.0.0/24") }),
    iface({ segment: 2 }),
    lease({ segment: 2, address: "127.65.0.12" }),
  ];
  for (const row of rows) tables.put(row);
  memory.swap(tables, { epoch: "e", position: 1 }, 1);
  const offered = (here: Segment): string => {
    const offer = memory.candidate(here, lease().identity);
    return offer.is === "none" ? offer.because : "something";
  };
  assert.equal(offered(segment()), "device-on-another-segment");
  assert.equal(offered(there), "something");
  assert.equal(offered(segment({ vrf: "other" })), "something", "another VRF is another world");
  tables.put(lease({ segment: 2, address: "127.65.0.12", expiresAt: CLOCK_START, version: 2 }));
  assert.equal(offered(segment()), "something");
});

test("a home is left, kept or closed by its segment's word while a promise runs, and always left after it", () => {
  const home: OtherInterface = {
    interface: 1,
    segment: "a",
    isPredicted: false,
    address: "10.0.0.1",
    rehome: "move",
    moves: 0,
  };
  const { address: _, ...over } = home;
  assert.deepEqual(
    (["move", "keep", "refuse"] as const).map((rehome) => [
      relocationOf({ ...home, rehome }),
      relocationOf({ ...over, rehome }),
    ]),
    [
      ["leaves", "leaves"],
      ["stays", "leaves"],
      ["refuses", "leaves"],
    ],
  );
  assert.equal(relocationOf({ ...home, moves: MOST_MOVES }), "alternates");
  assert.equal(relocationEventOf(false, [{ ...home, rehome: "keep" }]), undefined);
  assert.equal(relocationEventOf(true, [home])?.is, "moved");
  assert.equal(relocationEventOf(false, [{ ...over, isPredicted: true }])?.is, "promoted");
});

/** What DNS has of an owner now. */
async function names(owner: string): Promise<string[]> {
  const memory = new Memory(new ManualClock());
  const tables = new Tables();
  for (const [kind, table] of Object.entries(TABLES))
    for (const { row } of await sql<{ row: Json }>(`SELECT to_jsonb(t) AS "row" FROM ${table} t`))
      tables.put(rowFrom(kind as Row["kind"], row));
  memory.swap(tables, { epoch: "e", position: 1 }, 1);
  return recordsAt(memory, dnsName(owner)).map(({ type, data }) => `${type} ${dataText(data)}`);
}
