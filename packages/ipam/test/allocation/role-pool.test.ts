/** Ranges of a prefix for some roles alone: who gets addresses where, whatever the way they are chosen. */
import assert from "node:assert/strict";
import test from "node:test";
import { expected, iface, lease, ManualClock, prefix, readAddress, readMac, segment } from "@firstlight/kit";
import { type Address, formatAddress } from "@firstlight/wire";
import * as fc from "fast-check";
import { isDraining } from "../../src/policy/drain.ts";
import { parcelAt, parcelsOf, isInPool } from "../../src/allocation/parcel.ts";
import { Memory } from "../../src/replica/memory/memory.ts";
import { Tables } from "../../src/replica/memory/tables.ts";
import type { PrefixRow, Role, RolePool, Row } from "../../src/model/model.ts";

const HOUR = 3_600_000;
const BMC = readMac("02:f1:00:00:00:01");
const DPU = readMac("02:f1:00:00:00:02");
const STRANGER = readMac("02:ff:00:00:00:01");

const pool = (first: string, last: string, ...roles: Role[]): RolePool => ({
  first: readAddress(first),
  last: readAddress(last),
  roles,
});

function memoryOf(rows: readonly Row[], clock = new ManualClock()): Memory {
  const memory = new Memory(clock);
  const tables = new Tables();
  for (const row of rows) tables.put(row);
  memory.swap(tables, { epoch: "e", position: 0 }, 0);
  memory.observe(clock.now());
  return memory;
}

function offer(memory: Memory, mac: number, wanted?: string): string {
  const found = memory.candidate(memory.segment(1)!, mac, wanted === undefined ? undefined : readAddress(wanted));
  return found.is === "none" ? found.because : formatAddress(found.address);
}

function fill(memory: Memory, from: number, role: Role, family?: Address): string[] {
  const given: string[] = [];
  for (let mac = from; mac < from + 100; mac++) {
    memory.learn([expected({ mac, role, label: `d${mac}`, machine: `m${mac}` })]);
    const found = memory.candidate(memory.segment(1)!, mac, family);
    if (found.is === "none") return [...given.toSorted(byAddress), found.because];
    given.push(formatAddress(found.address));
    memory.learn([
      iface({ id: mac, identity: mac, role }),
      lease({ address: found.address, identity: mac, interface: mac }),
    ]);
  }
  return [...given, "and goes on"];
}

const byAddress = (a: string, b: string): number => (readAddress(a) < readAddress(b) ? -1 : 1);
const range = (net: string, first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, n) => `${net}${first + n}`);

for (const allocation of ["dynamic", "sequential"] as const) {
  test(`${allocation}: each role fills its own pools, the others what lies between, then the pool that is full is said`, () => {
    const memory = memoryOf([
      segment({ allocation }),
      prefix({
        prefix: "127.64.0.0/27",
        gateway: "127.64.0.1",
        reserved: 2,
        excluded: ["127.64.0.9"],
        pools: [
          pool("127.64.0.8", "127.64.0.11", "host_bmc"),
          pool("127.64.0.30", "127.64.0.31", "host_bmc"),
          pool("127.64.0.16", "127.64.0.19", "dpu_bmc", "dpu_oob"),
        ],
      }),
    ]);
    const bmcs = ["127.64.0.8", "127.64.0.10", "127.64.0.11", "127.64.0.30"];
    assert.deepEqual(fill(memory, 100, "host_bmc"), [...bmcs, "pool-full"]);
    assert.deepEqual(fill(memory, 200, "dpu_oob"), [...range("127.64.0.", 16, 19), "pool-full"]);
    assert.deepEqual(fill(memory, 300, "host"), [
      ...range("127.64.0.", 2, 7),
      ...range("127.64.0.", 12, 15),
      ...range("127.64.0.", 20, 29),
      "segment-full",
    ]);
  });
}

test("a pool far into a /64 is found by search as by hash, and fills to its last address", () => {
  const far = pool("fd00::ffff:0:0:0", "fd00::ffff:0:0:1f", "host_bmc");
  const memory = memoryOf([segment({ allocation: "sequential" }), prefix({ prefix: "fd00::/64", pools: [far] })]);
  const given = fill(memory, 100, "host_bmc", 0n);
  assert.equal(given.length, 33);
  assert.deepEqual([given[0], given[31]], ["fd00::ffff:0:0:0", "fd00::ffff:0:0:1f"]);
});

test("a wish is granted in the role's own pool alone", () => {
  const memory = memoryOf([
    segment(),
    prefix({ pools: [pool("127.64.0.64", "127.64.0.95", "host_bmc")] }),
    expected({ mac: BMC, role: "host_bmc" }),
  ]);
  assert.equal(offer(memory, BMC, "127.64.0.70"), "127.64.0.70");
  assert.match(offer(memory, BMC, "127.64.0.100"), /^127\.64\.0\.(6[4-9]|[78]\d|9[0-5])$/);
  assert.equal(offer(memory, STRANGER, "127.64.0.100"), "127.64.0.100");
  assert.doesNotMatch(offer(memory, STRANGER, "127.64.0.70"), /^127\.64\.0\.(6[4-9]|[78]\d|9[0-5])$/);
});

test("a role with a pool in one prefix of the segment gets nothing of the others; without one it may have any", () => {
  const memory = memoryOf([
    segment(),
    prefix({ id: 1, prefix: "127.64.0.0/30" }),
    prefix({ id: 2, prefix: "127.66.0.0/24", pools: [pool("127.66.0.64", "127.66.0.95", "host_bmc")] }),
  ]);
  assert.equal(fill(memory, 100, "host_bmc").filter((one) => one.startsWith("127.66.0.")).length, 32);
  assert.equal(fill(memory, 200, "host").filter((one) => one.startsWith("127.64.0.")).length, 2);
});

test("what is declared lies anywhere; a device that was declared to be another moves to its role's pool", () => {
  const rows = [segment(), prefix({ pools: [pool("127.64.0.64", "127.64.0.95", "host_bmc")] })];
  const fixed = expected({ mac: BMC, role: "host_bmc", address: "127.64.0.7" });
  assert.equal(offer(memoryOf([...rows, fixed]), BMC), "127.64.0.7");
  const memory = memoryOf([
    ...rows,
    iface({ identity: DPU, role: "other" }),
    lease({ identity: DPU, address: "127.64.0.12" }),
  ]);
  assert.equal(offer(memory, DPU), "127.64.0.12");
  memory.learn([expected({ mac: DPU, role: "host_bmc" })]);
  assert.match(offer(memory, DPU), /^127\.64\.0\.(6[4-9]|[78]\d|9[0-5])$/);
});

test("a prefix without pools places by hash as it always did", () => {
  const memory = memoryOf([segment(), prefix({ prefix: "10.16.0.0/12" })]);
  assert.deepEqual(
    [1, 2, 3].map((n) => offer(memory, n)),
    ["10.26.170.196", "10.27.253.29", "10.16.162.241"],
  );
});

const ROLES: readonly Role[] = ["host", "host_bmc", "dpu_bmc", "dpu_oob", "other"];
const cut = fc
  .uniqueArray(fc.integer({ min: 0, max: 63 }), { minLength: 2, maxLength: 8, selector: (n) => n })
  .map((cuts) => cuts.toSorted((a, b) => a - b))
  .chain((cuts) =>
    fc.tuple(
      ...Array.from({ length: Math.floor(cuts.length / 2) }, (_, n) =>
        fc.uniqueArray(fc.constantFrom(...ROLES), { minLength: 1, maxLength: 2 }).map((roles): RolePool => ({
          first: 0x7f40_0000 + cuts[2 * n]!,
          last: 0x7f40_0000 + cuts[2 * n + 1]!,
          roles,
        })),
      ),
    ),
  );
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("bind" as const), mac: fc.nat(19), wish: fc.nat(70) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("release" as const, "decline" as const), mac: fc.nat(19) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("pass" as const), hours: fc.constantFrom(1, 25, 60) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drain" as const), nth: fc.nat(1), state: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("pools" as const), pools: cut }) },
);

test("whatever comes: no new address outside its role's pool or in what drains, and what is free in them is found", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("dynamic" as const, "sequential" as const),
      cut,
      fc.array(step, { maxLength: 60 }),
      (allocation, pools, steps) => {
        const clock = new ManualClock();
        let prefixes: PrefixRow[] = [
          prefix({ id: 1, prefix: "127.64.0.0/26", pools }),
          prefix({ id: 2, prefix: "127.66.0.0/28" }),
        ];
        const memory = memoryOf([segment({ allocation }), ...prefixes], clock);
        let version = 1;
        const put = (n: number, change: Partial<PrefixRow>): void => {
          prefixes = prefixes.map((row, i) => (i === n ? { ...row, ...change, version } : row));
          memory.learn(prefixes);
        };
        for (const step of steps) {
          version++;
          if (step.do === "pass") clock.advance(step.hours * HOUR);
          else if (step.do === "drain") put(step.nth, { state: step.state ? "draining" : "active" });
          else if (step.do === "pools") put(0, { pools: step.pools });
          else {
            const mac = step.mac + 1;
            const role = ROLES[mac % ROLES.length]!;
            const own = memory.leaseOf(mac);
            if (step.do !== "bind") {
              if (own?.state === "bound")
                memory.learn([{ ...own, version, state: step.do === "release" ? "released" : "declined" }]);
              continue;
            }
            memory.learn([iface({ id: mac, identity: mac, role })]);
            const found = memory.candidate(memory.segment(1)!, mac, 0x7f40_0000 + step.wish);
            const open = prefixes.filter((row) => !isDraining(memory.segment(1)!, row));
            if (found.is === "none") {
              mustBeFull(memory, open, role, clock.now());
              continue;
            }
            const { address, prefix: row } = found;
            const isOpen = open.some(({ id }) => id === row.id);
            assert.ok(
              isOpen ? isInPool(open, row, role, address) : own?.identity === mac,
              `${role} got ${formatAddress(address)}`,
            );
            const now = clock.now();
            const times = { startsAt: now, expiresAt: now + HOUR, reusableAt: now + 25 * HOUR };
            if (own && own.address !== address) memory.learn([{ ...own, version, state: "released" }]);
            memory.learn([lease({ address, identity: mac, interface: mac, version: version + 0.5, ...times })]);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});

/** Nothing is free that this role could have had. */
function mustBeFull(memory: Memory, open: readonly PrefixRow[], role: Role, now: number): void {
  for (const row of open) {
    const first = row.prefix.address as number;
    for (let address = first; address < first + 2 ** (32 - row.prefix.length); address++) {
      const parcel = parcelAt(row, address);
      if (!parcel || !isInPool(open, row, role, address) || address === row.gateway) continue;
      const held = memory.lease(address);
      assert.ok(held && held.reusableAt > now, `${formatAddress(address)} is free for ${role}`);
    }
  }
}

test("parcels are the prefix, cut at its pools: each address in one of them", () => {
  fc.assert(
    fc.property(cut, (pools) => {
      const row = prefix({ prefix: "127.64.0.0/26", pools });
      const covered = parcelsOf(row).flatMap(({ span }) =>
        Array.from({ length: Number(span.last) - Number(span.first) + 1 }, (_, n) => Number(span.first) + n),
      );
      assert.deepEqual(covered, range("", 1, 62).map(Number));
    }),
  );
});
