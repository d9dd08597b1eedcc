import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CLOCK_START,
  domain,
  expected,
  iface,
  lease,
  ManualClock,
  prefix,
  readAddress,
  readMac,
  segment,
} from "@firstlight/kit";
import { type Address, formatAddress, size } from "@firstlight/wire";
import * as fc from "fast-check";
import { isAssignable, type PrefixRow, type Row, type Segment } from "../../src/index.ts";
import { Memory } from "../../src/replica/memory/memory.ts";
import { Tables } from "../../src/replica/memory/tables.ts";

const HOUR = 3_600_000;
const A = readMac("02:f1:00:00:00:01");
const B = readMac("02:f1:00:00:00:02");

/** A replica of these rows and nothing around it. */
function memoryOf(rows: readonly Row[], clock = new ManualClock()): Memory {
  const memory = new Memory(clock);
  const tables = new Tables();
  for (const row of rows) tables.put(row);
  memory.swap(tables, { epoch: "e", position: 0 }, 0);
  memory.observe(clock.now());
  return memory;
}

/** The address offered, as text, or why there is none. */
function offer(memory: Memory, mac: number, wanted?: string, held?: (address: Address) => boolean): string {
  const candidate = memory.candidate(
    memory.segment(1)!,
    mac,
    wanted === undefined ? undefined : readAddress(wanted),
    held,
  );
  return candidate.is === "none" ? candidate.because : formatAddress(candidate.address);
}

/** Commits an offer the way the store would: the interface on its first lease, then the lease. */
function bind(memory: Memory, mac: number, address: Address, version = 1): void {
  const id = memory.interface(1, mac)?.id ?? mac;
  memory.learn([iface({ id, identity: mac }), lease({ address, identity: mac, interface: id, version })]);
}

test("a device that holds an address is offered it again, also after it gave it back", () => {
  assert.equal(offer(memoryOf([domain(), segment(), prefix(), iface(), lease()]), A), "127.64.0.12");
  assert.equal(
    offer(memoryOf([domain(), segment(), prefix(), iface(), lease({ state: "released" })]), A),
    "127.64.0.12",
  );
});

test("a declined address rests from everybody, its holder included", () => {
  const clock = new ManualClock();
  const memory = memoryOf([segment(), prefix(), iface(), lease({ state: "declined" })], clock);
  assert.notEqual(offer(memory, A), "127.64.0.12");
  assert.notEqual(offer(memory, B, "127.64.0.12"), "127.64.0.12");
  clock.advance(25 * HOUR);
  assert.equal(offer(memory, A), "127.64.0.12");
});

test("an address that has gone to another is not offered to its former holder", () => {
  const memory = memoryOf([
    segment(),
    prefix(),
    iface(),
    iface({ id: 2, identity: B }),
    lease({ interface: 2, identity: B }),
  ]);
  assert.notEqual(offer(memory, A), "127.64.0.12");
  assert.notEqual(offer(memory, A, "127.64.0.12"), "127.64.0.12");
});

test("a declared address comes before any wish, and nobody else gets it", () => {
  const memory = memoryOf([segment(), prefix(), expected({ address: "127.64.0.77" })]);
  assert.equal(offer(memory, A, "127.64.0.50"), "127.64.0.77");
  assert.notEqual(offer(memory, B, "127.64.0.77"), "127.64.0.77");
});

test("a full prefix keeps a declared address until the declaration goes elsewhere", () => {
  const memory = memoryOf([
    segment({ allocation: "sequential" }),
    prefix({ prefix: "127.64.0.4/30", reserved: 2 }),
    expected({ address: "127.64.0.6" }),
  ]);
  assert.equal(offer(memory, B), "segment-full");
  memory.learn([expected({ address: "127.64.0.99", version: 2 })]);
  assert.equal(offer(memory, B), "127.64.0.6");
});

test("of two addresses given back the later one is offered again, in whatever order they were loaded", () => {
  const early = lease({ address: "127.64.0.12", state: "released" });
  const late = lease({ address: "127.64.0.200", state: "released", startsAt: CLOCK_START + 1 });
  assert.equal(offer(memoryOf([segment(), prefix(), iface(), early, late]), A), "127.64.0.200");
  assert.equal(offer(memoryOf([segment(), prefix(), iface(), late, early]), A), "127.64.0.200");
});

test("a device that holds what is declared for another is moved", () => {
  const memory = memoryOf([segment(), prefix(), iface(), lease(), expected({ mac: B, address: "127.64.0.12" })]);
  assert.notEqual(offer(memory, A), "127.64.0.12");
});

test("a device whose latest address is in somebody's use goes back to the one before", () => {
  const declined = lease({ address: "127.64.0.200", state: "declined", startsAt: CLOCK_START + 1 });
  const memory = memoryOf([segment(), prefix(), iface(), lease({ state: "released", policy: "retained" }), declined]);
  assert.equal(offer(memory, A), "127.64.0.12");
});

test("a declaration waits for the end of a running promise", () => {
  const clock = new ManualClock();
  const memory = memoryOf([segment(), prefix(), iface(), lease(), expected({ address: "127.64.0.77" })], clock);
  assert.equal(offer(memory, A), "127.64.0.12");
  clock.advance(HOUR);
  assert.equal(offer(memory, A), "127.64.0.77");
});

test("a wish is granted when the address is free and assignable", () => {
  const memory = memoryOf([segment(), prefix({ gateway: "127.64.0.1", excluded: ["127.64.0.9"] })]);
  assert.equal(offer(memory, A, "127.64.0.50"), "127.64.0.50");
  for (const bad of ["127.64.0.0", "127.64.0.1", "127.64.0.9", "127.64.0.255", "127.65.0.50"]) {
    assert.notEqual(offer(memory, A, bad), bad);
  }
  assert.notEqual(
    offer(memory, A, "127.64.0.50", (address) => address === readAddress("127.64.0.50")),
    "127.64.0.50",
  );
});

test("a freed address rests until its grace has passed by the database's clock", () => {
  const clock = new ManualClock();
  const memory = memoryOf(
    [segment(), prefix({ prefix: "127.64.0.4/30", reserved: 2 }), iface(), lease({ address: "127.64.0.6" })],
    clock,
  );
  assert.equal(offer(memory, B), "segment-full");
  clock.advance(25 * HOUR - 1);
  assert.equal(offer(memory, B), "segment-full");
  memory.observe(clock.now() + 1);
  assert.equal(offer(memory, B), "127.64.0.6");
});

test("an address of a machine never goes to another, however long ago it expired", () => {
  const clock = new ManualClock(CLOCK_START + 1000 * HOUR);
  const rows = [segment(), prefix({ prefix: "127.64.0.4/30", reserved: 2 })];
  const old = lease({ address: "127.64.0.6" });
  assert.equal(offer(memoryOf([...rows, iface({ machine: "node-1" }), old], clock), B), "segment-full");
  assert.equal(offer(memoryOf([...rows, iface(), { ...old, policy: "retained" }], clock), B), "segment-full");
  const memory = memoryOf([...rows, iface({ machine: "node-1" }), old], clock);
  assert.equal(offer(memory, B), "segment-full");
  memory.learn([iface({ version: 2 })]); // the machine let go of it: a full prefix notices
  assert.equal(offer(memory, B), "127.64.0.6");
});

test("a segment for expected devices refuses the others with the reason", () => {
  const memory = memoryOf([segment({ admission: "expected" }), prefix(), expected()]);
  assert.match(offer(memory, A), /^127\.64\.0\./);
  assert.equal(offer(memory, B), "device-not-expected");
});

test("a reserved segment gives declared addresses only", () => {
  const memory = memoryOf([segment({ allocation: "reserved" }), prefix(), expected({ address: "127.64.0.77" })]);
  assert.equal(offer(memory, A), "127.64.0.77");
  assert.equal(offer(memory, B), "device-not-expected");
});

test("a segment without a prefix of the family says so", () => {
  assert.equal(offer(memoryOf([segment()]), A), "no-prefix-of-family");
  assert.equal(offer(memoryOf([segment(), prefix()]), A, "fd00::1"), "no-prefix-of-family");
  assert.match(offer(memoryOf([segment(), prefix(), prefix({ id: 2, prefix: "fd00::/64" })]), A, "::"), /^fd00::/);
});

test("prefixes of a segment are filled in the order they were made", () => {
  const memory = memoryOf([
    segment(),
    prefix({ id: 2, prefix: "127.66.0.0/24" }),
    prefix({ id: 1, prefix: "127.64.0.4/30" }),
  ]);
  const seen = [A, A + 1, A + 2].map((mac) => {
    const text = offer(memory, mac);
    bind(memory, mac, readAddress(text));
    return text;
  });
  assert.deepEqual(seen.slice(0, 2).toSorted(), ["127.64.0.5", "127.64.0.6"]);
  assert.match(seen[2]!, /^127\.66\.0\./);
});

test("sequential gives the lowest never used, then the lowest that has rested", () => {
  const clock = new ManualClock();
  const memory = memoryOf(
    [segment({ allocation: "sequential" }), prefix({ prefix: "127.64.0.0/29", reserved: 3 })],
    clock,
  );
  const given = [1, 2, 3, 4].map((mac) => {
    const text = offer(memory, mac);
    bind(memory, mac, readAddress(text));
    return text;
  });
  assert.deepEqual(given, ["127.64.0.3", "127.64.0.4", "127.64.0.5", "127.64.0.6"]);
  assert.equal(offer(memory, 5), "segment-full");
  clock.advance(25 * HOUR);
  assert.equal(offer(memory, 5), "127.64.0.3");
});

test("routes are longest match, in their VRF", () => {
  const tables = memoryOf([
    segment(),
    segment({ id: 2, name: "inner" }),
    segment({ id: 3, name: "tenant", vrf: "t" }),
    prefix({ prefix: "10.0.0.0/8" }),
    prefix({ id: 2, segment: 2, prefix: "10.1.0.0/16" }),
    prefix({ id: 3, segment: 3, vrf: "t", prefix: "10.1.0.0/16" }),
  ]);
  assert.equal(tables.segmentOf(readAddress("10.1.2.3"))?.id, 2);
  assert.equal(tables.segmentOf(readAddress("10.2.2.3"))?.id, 1);
  assert.equal(tables.segmentOf(readAddress("10.1.2.3"), "t")?.id, 3);
  assert.equal(tables.segmentOf(readAddress("11.1.2.3")), undefined);
  assert.equal(tables.segmentOf(readAddress("fd00::1")), undefined);
});

/** What each prefix has to give, counted by hand: `[prefix, reserved, gateway, excluded, addresses]`. */
const CAPACITY = [
  ["127.64.0.0/31", 0, undefined, [], 2],
  ["127.64.0.0/31", 1, undefined, [], 1],
  ["127.64.0.5/32", 0, undefined, [], 1],
  ["127.64.0.0/30", 1, "127.64.0.1", [], 1],
  ["127.64.0.0/30", 0, undefined, [], 2],
  ["127.64.0.0/30", 4, undefined, [], 0],
  ["127.64.0.0/24", 1, "127.64.0.1", [], 253],
  ["127.64.0.0/24", 10, "127.64.0.254", ["127.64.0.99", "127.64.0.3"], 243],
  ["127.64.0.0/22", 1, "127.64.0.1", [], 1021],
  ["fd00::/127", 0, undefined, [], 2],
  ["fd00::/126", 0, undefined, [], 3],
  ["fd00::/120", 16, "fd00::ff", [], 239],
] as const;

for (const allocation of ["dynamic", "sequential"] as const) {
  for (const [text, reserved, gateway, excluded, addresses] of CAPACITY) {
    test(`${allocation} ${text} with ${reserved} reserved fills to exactly ${addresses}, then is full`, () => {
      const row = prefix({ prefix: text, reserved, excluded, ...(gateway === undefined ? {} : { gateway }) });
      const memory = memoryOf([segment({ allocation }), row]);
      const family = typeof row.prefix.address === "number" ? undefined : 0n;
      const given = new Set<Address>();
      for (let n = 0; n < addresses; n++) {
        const candidate = memory.candidate(memory.segment(1)!, A + n * 7919, family);
        assert(candidate.is === "candidate", `address ${n + 1} of ${addresses}`);
        assert(isAssignable(row, candidate.address) && !given.has(candidate.address));
        given.add(candidate.address);
        bind(memory, A + n * 7919, candidate.address);
      }
      assert.deepEqual(memory.candidate(memory.segment(1)!, B, family), { is: "none", because: "segment-full" });
    });
  }
}

const WIDE: readonly [Segment, PrefixRow][] = [
  [segment(), prefix({ prefix: "10.16.0.0/12", gateway: "10.16.0.1" })],
  [segment(), prefix({ prefix: "10.0.0.0/8", reserved: 65_536 })],
  [segment(), prefix({ prefix: "fd00::/64" })],
  [segment(), prefix({ prefix: "fd00::/100" })],
];

test("in a wide prefix distinct devices get distinct, assignable addresses", () => {
  for (const [of, row] of WIDE) {
    const memory = memoryOf([of, row]);
    const given = new Set<Address>();
    for (let n = 0; n < 2000; n++) {
      const candidate = memory.candidate(of, A + n, typeof row.prefix.address === "bigint" ? 0n : undefined);
      assert(candidate.is === "candidate");
      assert(isAssignable(row, candidate.address));
      given.add(candidate.address);
      bind(memory, A + n, candidate.address);
    }
    assert.equal(given.size, 2000, `${size(row.prefix)} addresses`);
  }
});

test("the last free address of a full /16 is found, and found again after a change", () => {
  const row = prefix({ prefix: "127.64.0.0/16", gateway: "127.64.0.1" });
  const clock = new ManualClock();
  const memory = memoryOf([segment(), row], clock);
  const last = 0x7f40beef;
  for (let address = 0x7f400002; address < 0x7f40ffff; address++) if (address !== last) bind(memory, address, address);
  for (let n = 0; n < 100; n++) assert.equal(offer(memory, A + n), "127.64.190.239");
  bind(memory, A, last);
  for (let n = 1; n < 100; n++) assert.equal(offer(memory, A + n), "segment-full");
  memory.learn([
    lease({
      address: 0x7f401234,
      identity: 0x7f401234,
      interface: 0x7f401234,
      version: 2,
      state: "released",
      reusableAt: CLOCK_START + 1,
    }),
  ]);
  assert.equal(offer(memory, B), "segment-full");
  clock.advance(1);
  assert.equal(offer(memory, B), "127.64.18.52");
});

/** A history of one small segment: who binds, gives back or lets time pass. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("bind" as const), mac: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("released" as const, "declined" as const),
      mac: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 30 * HOUR }) }) },
);

test("two replicas with different histories of the same rows offer alike, and never what another may still use", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom("dynamic" as const, "sequential" as const),
      (steps, allocation) => {
        const clock = new ManualClock();
        const ground = [segment({ allocation }), prefix({ prefix: "127.64.0.0/29", gateway: "127.64.0.1" })];
        const lived = memoryOf(ground, clock);
        let version = 1;
        for (const step of steps) {
          version++;
          if (step.do === "wait") clock.advance(step.ms);
          else if (step.do === "bind") {
            const candidate = lived.candidate(lived.segment(1)!, step.mac);
            if (candidate.is === "none") continue;
            const before = lived.lease(candidate.address);
            assert(isAssignable(candidate.prefix, candidate.address));
            assert(
              !before || before.identity === step.mac || before.reusableAt <= clock.now(),
              "an address was given too early",
            );
            const now = clock.now();
            const times = { startsAt: now, expiresAt: now + HOUR, reusableAt: now + 25 * HOUR };
            lived.learn([
              iface({ id: step.mac, identity: step.mac }),
              lease({ address: candidate.address, identity: step.mac, interface: step.mac, version, ...times }),
            ]);
          } else {
            const own = lived.leaseOf(step.mac);
            if (own?.state === "bound")
              lived.learn([{ ...own, version, state: step.do, reusableAt: clock.now() + 24 * HOUR }]);
          }
          const loaded = memoryOf([...lived.rows().rows], clock);
          for (let mac = 1; mac <= 13; mac++) assert.equal(offer(loaded, mac), offer(lived, mac));
        }
      },
    ),
    { numRuns: 150 },
  );
});
