/** Ordered rows are sorted rows: whatever is put and dropped, pages and counts are those of a sorted list. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { domain, expected, iface, lease, name, prefix, segment, ManualClock } from "@firstlight/kit";
import * as fc from "fast-check";
import { Memory } from "../../../src/replica/memory/memory.ts";
import { type Key, Ordered } from "../../../src/replica/memory/ordered.ts";
import type { Lease, Row } from "../../../src/model/model.ts";
import { parsePrefix, type Prefix } from "@firstlight/wire";

test("pages and counts of keys are those of a sorted set", () => {
  const edit = fc.record({ key: fc.integer({ min: 0, max: 2000 }), isGone: fc.boolean() });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 3000, size: "max" }), fc.nat(2000), fc.nat(2000), (edits, a, b) => {
      const [ordered, plain] = [new Ordered<number>(), new Set<number>()];
      for (const { key, isGone } of edits) {
        if (isGone) ordered.drop(key);
        else ordered.add(key);
        if (isGone) plain.delete(key);
        else plain.add(key);
      }
      const sorted = [...plain].toSorted((x, y) => x - y);
      assert.deepEqual([...ordered.after()], sorted);
      assert.deepEqual(
        [...ordered.after(a)],
        sorted.filter((key) => key > a),
      );
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      assert.equal(ordered.count(first, last), sorted.filter((key) => key >= first && key <= last).length);
    }),
    { numRuns: 50 },
  );
});

test("a block that is full is split where the key lies", () => {
  const ordered = new Ordered<number>();
  for (let key = 0; key < 512; key++) ordered.add(key * 10);
  for (let key = 0; key < 512; key++) ordered.add(key * 10 + 5);
  assert.deepEqual(
    [...ordered.after()],
    Array.from({ length: 1024 }, (_, n) => n * 5),
  );
  assert.equal(ordered.count(5, 5115), 1023);
});

test("a page among 100,000 keys compares fewer than 100 of them", () => {
  let compared = 0;
  const keys = Array.from({ length: 100_000 }, (_, n) => ({
    valueOf() {
      compared++;
      return n;
    },
  })) as unknown as Key[];
  const ordered = new Ordered<Key>();
  for (const key of keys) ordered.add(key);
  compared = 0;
  const pages = ordered.after(keys[50_000]);
  for (let n = 1; n <= 100; n++) assert.equal(pages.next().value, keys[50_000 + n]);
  assert.ok(compared < 100, `${compared} reads`);
  compared = 0;
  assert.equal(ordered.count(keys[0]!, keys[99_999]!), 100_000);
  assert.ok(compared < 200, `${compared} reads`);
});

const someLease = fc
  .record({
    vrf: fc.constantFrom("default", "blue/1"),
    address: fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.1.3", "fd00::1", "fd00::2"),
    segment: fc.constantFrom(1, 2),
    state: fc.constantFrom("bound", "released", "declined"),
  })
  .map((row): Lease => lease(row));

test("ordered leases and counts of bound addresses equal those of all leases, whatever is changed and dropped", () => {
  const change = fc.record({ row: someLease, isGone: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const memory = memoryOf([]);
      changes.forEach(({ row, isGone }, n) => {
        const version = n + 1;
        const at = { is: "row", position: version, kind: "lease", key: keyOf(row), version, at: 0, dns: true } as const;
        memory.apply([{ ...at, actor: "test", ...(isGone ? {} : { row: { ...row, version } }) }]);
      });
      const all = [...memory.leases()];
      const inOrder = [...memory.ordered.leases()];
      assert.deepEqual(inOrder.map(keyOf).toSorted(), all.map(keyOf).toSorted());
      assert.deepEqual(inOrder, inOrder.toSorted(byKey));
      for (const id of [1, 2])
        assert.deepEqual(
          [...memory.ordered.leases(undefined, id)],
          inOrder.filter((row) => row.segment === id),
        );
      inOrder.forEach((row, n) => assert.deepEqual([...memory.ordered.leases(row)], inOrder.slice(n + 1)));
      for (const [text, isIn] of PREFIXES)
        assert.equal(
          memory.ordered.bound(parsePrefix(text) as Prefix, "default"),
          all.filter((row) => row.state === "bound" && row.vrf === "default" && isIn(row)).length,
        );
    }),
    { numRuns: 200 },
  );
});

const PREFIXES: readonly (readonly [string, (row: Lease) => boolean])[] = [
  ["10.0.0.0/24", ({ address }) => typeof address === "number" && address < 0x0a000100],
  ["10.0.0.0/8", ({ address }) => typeof address === "number"],
  ["fd00::/64", ({ address }) => typeof address === "bigint"],
];

test("interfaces, names and devices are read in order, of one group or of all", () => {
  const rows: Row[] = [
    ...[3, 1, 2].map((id) => iface({ id, identity: id, segment: id === 2 ? 2 : 1 })),
    ...[2, 1].map((id) => name({ id, owner: `n${id}.rack.internal`, domain: id })),
    ...[9, 8].map((mac) => expected({ mac })),
  ];
  const { ordered } = memoryOf(rows);
  assert.deepEqual(
    [...ordered.interfaces()].map(({ id }) => id),
    [1, 2, 3],
  );
  assert.deepEqual(
    [...ordered.interfaces(1, 1)].map(({ id }) => id),
    [3],
  );
  assert.deepEqual(
    [...ordered.names()].map(({ owner }) => owner),
    ["n1.rack.internal", "n2.rack.internal"],
  );
  assert.deepEqual(
    [...ordered.names(undefined, 2)].map(({ id }) => id),
    [2],
  );
  assert.deepEqual(
    [...ordered.devices()].map(({ mac }) => mac),
    [8, 9],
  );
});

test("a replica that was made without `ordered` throws when it is asked for an order", () => {
  assert.throws(() => new Memory(new ManualClock()).ordered, /made without `ordered`/);
});

function memoryOf(rows: readonly Row[]): Memory {
  const memory = new Memory(new ManualClock(), { ordered: true });
  const tables = memory.emptyTables();
  tables.take([domain(), domain({ id: 2, name: "two.internal" }), segment(), prefix(), ...rows]);
  memory.swap(tables, { epoch: "e", position: 0 }, 0);
  return memory;
}

const keyOf = ({ vrf, address }: Lease): string => `${vrf}/${format(address)}`;
const format = (address: Lease["address"]): string => (typeof address === "number" ? ip(address) : v6(address));
const ip = (n: number): string => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join(".");
const v6 = (n: bigint): string => `fd00::${(n & 0xffffn).toString(16)}`;

function byKey(a: Lease, b: Lease): number {
  if (a.vrf !== b.vrf) return a.vrf < b.vrf ? -1 : 1;
  if (typeof a.address !== typeof b.address) return typeof a.address === "number" ? -1 : 1;
  return a.address < b.address ? -1 : 1;
}
