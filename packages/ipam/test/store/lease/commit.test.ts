import assert from "node:assert/strict";
import test, { after } from "node:test";
import { back, BMC, bind, ground, HOST, ip, said, stranger } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, segments, sql } = site;
const { open, closed, held, declared, six } = segments as Record<string, number>;

async function commit(...batch: Parameters<typeof store.commit>[0]): Promise<string[]> {
  return (await store.commit(batch, "daemon/test")).map(said);
}

/** Lets time pass for one address: its promise ended, and its grace unless `restsFor` says otherwise. */
async function later(address: string, restsFor = "-1 second"): Promise<void> {
  await sql(
    `UPDATE ipam.lease SET expires_at = now() - interval '1 hour', reusable_at = now() + $2::interval WHERE address = $1`,
    [address, restsFor],
  );
}

test("an unknown device on an open segment is bound, and its interface is made", async () => {
  const relay = { giaddr: ip("10.0.0.1") as number, circuitId: Uint8Array.of(1, 2), remoteId: Uint8Array.of(0, 255) };
  const request = bind(open!, stranger(1), "10.0.0.3", {
    clientId: Uint8Array.of(1, 0xaa),
    relay,
    trace: "4bf92f3577b34da6a3ce929d0e0e4736",
  });
  const [outcome] = await store.commit([request], "daemon/dhcpd");
  assert.ok(outcome?.is === "bound");
  const { lease, interface: iface } = outcome;
  assert.deepEqual(
    {
      ...lease,
      startsAt: 0,
      expiresAt: lease.expiresAt - lease.startsAt,
      reusableAt: lease.reusableAt - lease.startsAt,
      version: 0,
    },
    {
      kind: "lease",
      vrf: "default",
      address: ip("10.0.0.3"),
      segment: open,
      interface: iface.id,
      identity: stranger(1),
      policy: "dynamic",
      state: "bound",
      startsAt: 0,
      expiresAt: 600_000,
      reusableAt: 600_000 + 86_400_000,
      clientId: Uint8Array.of(1, 0xaa),
      relay,
      version: 0,
    },
  );
  assert.deepEqual(
    { ...iface, id: 0, version: 0 },
    {
      kind: "interface",
      id: 0,
      segment: open,
      identity: stranger(1),
      role: "other",
      identifiedBy: "lease",
      version: 0,
    },
  );
  const [noted] = await sql<{ dns: boolean; actor: string; trace: string }>(
    "SELECT dns, actor, trace FROM ipam.change_pending WHERE kind = 'lease' ORDER BY version DESC LIMIT 1",
  );
  assert.deepEqual(noted, { dns: true, actor: "daemon/dhcpd", trace: request.trace });
});

test("a renewal extends the promise, leaves one change, and none for DNS", async () => {
  await commit(bind(open!, stranger(2), "10.0.0.4"));
  const [before] = await sql<{ version: string; expires_at: Date; starts_at: Date }>(
    "SELECT version, expires_at, starts_at FROM ipam.lease WHERE address = '10.0.0.4'",
  );
  assert.deepEqual(await commit(bind(open!, stranger(2), "10.0.0.4", { leaseSeconds: 900 })), ["bound 10.0.0.4"]);
  const [now] = await sql<typeof before & {}>(
    "SELECT version, expires_at, starts_at FROM ipam.lease WHERE address = '10.0.0.4'",
  );
  assert.ok(now!.expires_at > before!.expires_at && BigInt(now!.version) > BigInt(before!.version));
  assert.deepEqual(now!.starts_at, before!.starts_at);
  const noted = await sql<{ dns: boolean }>("SELECT dns FROM ipam.change_pending WHERE version >= $1", [now!.version]);
  assert.deepEqual(noted, [{ dns: false }]);
});

test("every refusal has its own reason, and one bad row changes nobody else's outcome", async () => {
  await commit(
    bind(open!, stranger(10), "10.0.0.10"),
    bind(open!, stranger(11), "10.0.0.11"),
    bind(held!, stranger(12), "10.0.2.12"),
  );
  await commit(back("release", open!, stranger(11), "10.0.0.11"));
  assert.deepEqual(
    await commit(
      bind(open!, stranger(20), "10.0.0.20"),
      bind(open!, stranger(21), "10.0.0.10"), // somebody's
      bind(open!, stranger(22), "10.0.0.11"), // at rest
      bind(open!, stranger(23), "10.0.0.1"), // the gateway
      bind(open!, stranger(24), "10.0.0.9"), // excluded
      bind(open!, stranger(25), "10.0.0.2"), // reserved
      bind(open!, stranger(26), "10.0.0.255"), // broadcast
      bind(open!, stranger(27), "10.0.2.9"), // another segment's
      bind(declared!, stranger(28), "10.0.3.9"), // only declared addresses there
      bind(declared!, stranger(29), "10.0.3.20"), // declared for another device
      bind(held!, stranger(12), "10.0.2.13"), // keeps what it got first
      bind(closed!, stranger(30), "10.0.1.9"),
      bind(9999, stranger(31), "10.0.0.31"),
      back("release", open!, stranger(32), "10.0.0.10"),
      back("decline", open!, stranger(33), "10.0.0.99"),
      bind(open!, stranger(34), "10.0.0.20"), // wanted by the first of this batch
      bind(closed!, HOST, "10.0.1.9"),
    ),
    [
      "bound 10.0.0.20",
      "address-bound-elsewhere",
      "address-resting",
      ...Array<string>(7).fill("address-not-assignable"),
      "interface-holds-another-address",
      "device-not-expected",
      "no-such-segment",
      "no-such-lease",
      "no-such-lease",
      "address-bound-elsewhere",
      "bound 10.0.1.9",
    ],
  );
  const strangers = await sql<{ n: string }>(
    "SELECT count(*) AS n FROM ipam.interface i WHERE i.state IS NULL AND NOT EXISTS (SELECT FROM ipam.lease WHERE interface = i.id)",
  );
  assert.deepEqual(strangers, [{ n: "0" }], "who is refused leaves no interface behind");
});

test("grace is honoured to the second, by database time: expired is not free", async () => {
  await commit(bind(open!, stranger(40), "10.0.0.40"));
  await later("10.0.0.40", "1 minute");
  assert.deepEqual(await commit(bind(open!, stranger(41), "10.0.0.40")), ["address-resting"]);
  assert.deepEqual(
    await commit(bind(open!, stranger(40), "10.0.0.40")),
    ["bound 10.0.0.40"],
    "its own it may have back",
  );
  await later("10.0.0.40");
  assert.deepEqual(await commit(bind(open!, stranger(41), "10.0.0.40")), ["bound 10.0.0.40"]);
  assert.deepEqual(await commit(bind(open!, stranger(40), "10.0.0.40")), ["address-bound-elsewhere"]);
});

test("a machine keeps its address long after it expired; a retained one stays too", async () => {
  await commit(bind(open!, HOST, "10.0.0.50"), bind(held!, stranger(51), "10.0.2.51"));
  await later("10.0.0.50");
  await later("10.0.2.51");
  assert.deepEqual(await commit(bind(open!, stranger(52), "10.0.0.50"), bind(held!, stranger(53), "10.0.2.51")), [
    "address-bound-elsewhere",
    "address-bound-elsewhere",
  ]);
});

test("a device that moves leaves its older address to rest, in the same transaction", async () => {
  await commit(bind(open!, stranger(60), "10.0.0.60"));
  assert.deepEqual(await commit(bind(open!, stranger(60), "10.0.0.61")), ["bound 10.0.0.61"]);
  assert.deepEqual(
    await sql(
      "SELECT host(address) AS address, state, reusable_at > now() + interval '23 hours' AS rests FROM ipam.lease WHERE mac = '02:ff:00:00:00:3c' ORDER BY address",
    ),
    [
      { address: "10.0.0.60", state: "released", rests: true },
      { address: "10.0.0.61", state: "bound", rests: true },
    ],
  );
});

test("a declined address is nobody's until it has rested, not even its holder's", async () => {
  await commit(bind(open!, stranger(70), "10.0.0.70"));
  assert.deepEqual(await commit(back("decline", open!, stranger(70), "10.0.0.70")), ["givenBack 10.0.0.70"]);
  assert.deepEqual(await commit(bind(open!, stranger(70), "10.0.0.70")), ["address-resting"]);
  assert.deepEqual(await commit(bind(open!, stranger(70), "10.0.0.71")), ["bound 10.0.0.71"]);
  await later("10.0.0.70");
  assert.deepEqual(await commit(bind(open!, stranger(72), "10.0.0.70")), ["bound 10.0.0.70"]);
});

test("an expected device gets its role, machine, label and declared address; the label goes along to its second segment", async () => {
  const [first] = await store.commit([bind(declared!, BMC, "10.0.3.20")], "t");
  const [second] = await store.commit([bind(open!, BMC, "10.0.0.80")], "t");
  assert.ok(first?.is === "bound" && second?.is === "bound");
  assert.equal(first.lease.policy, "fixed");
  const { role, machine, label, identifiedBy } = first.interface;
  assert.deepEqual(
    { role, machine, label, identifiedBy },
    { role: "host_bmc", machine: "r1", label: "r1-bmc", identifiedBy: "expected" },
  );
  assert.equal(second.interface.label, "r1-bmc");
});

test("one interface holds one address per family", async () => {
  assert.deepEqual(await commit(bind(six!, stranger(90), "fd00::90")), ["bound fd00::90"]);
  assert.deepEqual(await commit(bind(six!, stranger(90), "10.0.4.90")), ["bound 10.0.4.90"]);
  assert.deepEqual(
    await sql("SELECT count(*)::int AS n FROM ipam.lease WHERE mac = '02:ff:00:00:00:5a' AND state = 'bound'"),
    [{ n: 2 }],
  );
});

test("two stores race for one address: exactly one has it, and the other is told", async () => {
  const other = site.anotherStore();
  for (let round = 0; round < 10; round++) {
    const address = `10.0.0.${100 + round}`;
    const outcomes = await Promise.all([
      store.commit([bind(open!, stranger(1000 + round), address)], "a"),
      other.commit([bind(open!, stranger(2000 + round), address)], "b"),
    ]);
    assert.deepEqual(outcomes.map(([outcome]) => said(outcome)).toSorted(), [
      "address-bound-elsewhere",
      `bound ${address}`,
    ]);
  }
});

test("two stores meet the same new device at once: one interface, one lease", async () => {
  const other = site.anotherStore();
  const outcomes = await Promise.all(
    [store, other, store].map((one, n) => one.commit([bind(open!, stranger(3000), `10.0.0.${120 + n}`)], "x")),
  );
  assert.ok(outcomes.every(([outcome]) => outcome?.is === "bound"));
  const rows = await sql(
    "SELECT i.id FROM ipam.interface i JOIN ipam.lease l ON l.interface = i.id AND l.state = 'bound' WHERE i.mac = '02:ff:00:00:0b:b8'",
  );
  assert.equal(rows.length, 1);
});

test("batches that name the same devices in opposite order both finish", async () => {
  const other = site.anotherStore();
  const forth = Array.from({ length: 20 }, (_, n) => bind(open!, stranger(4000 + n), `10.0.0.${130 + n}`));
  const there = forth.toReversed();
  for (let round = 0; round < 5; round++) {
    const [a, b] = await Promise.all([store.commit(forth, "a"), other.commit(there, "b")]);
    assert.ok([...a, ...b].every((outcome) => outcome.is === "bound"));
  }
});

test("a lookup tells all of one device, and asks once for many who ask together", async () => {
  const [a, b] = await Promise.all([store.lookup(BMC), store.lookup(BMC)]);
  assert.equal(a, b);
  assert.deepEqual(new Set(a.interfaces.map(({ label }) => label)), new Set([undefined, "r1-bmc"]));
  assert.equal(a.leases.length, 2);
  assert.equal(a.expected?.machine, "r1");
  assert.deepEqual(await store.lookup(stranger(65_000)), { interfaces: [], leases: [] });
});

test("all who ask while a question is under way are one question more, and each has its own answer", async () => {
  await commit(bind(open!, stranger(5001), "10.0.0.201"), bind(open!, stranger(5002), "10.0.0.202"));
  const found = await Promise.all(Array.from({ length: 200 }, (_, n) => store.lookup(stranger(5000 + n))));
  const held = found.flatMap(({ leases }, n) => leases.map(({ identity: mac, address }) => [n, mac, address]));
  assert.deepEqual(held, [
    [1, stranger(5001), ip("10.0.0.201")],
    [2, stranger(5002), ip("10.0.0.202")],
  ]);
  const many = Array.from({ length: 300 }, (_, n) =>
    store.lookup(stranger(6000 + n)).then(
      () => true,
      () => false,
    ),
  );
  assert.equal((await Promise.all(many)).filter((isAnswered) => isAnswered).length, 256, "bounded");
});
