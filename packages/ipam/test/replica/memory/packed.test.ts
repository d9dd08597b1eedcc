/** Packed rows are rows: whatever is put, dropped and asked, they answer as a plain Map would. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { iface, lease } from "@firstlight/kit";
import * as fc from "fast-check";
import { Interfaces } from "../../../src/replica/memory/interfaces.ts";
import { Leases } from "../../../src/replica/memory/leases.ts";
import type { Interface, Lease, Role } from "../../../src/model/model.ts";

const bytes = fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined });
const someLease = fc
  .record({
    vrf: fc.constantFrom("default", "blue"),
    address: fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3", "255.255.255.255", "fd00::1"),
    interface: fc.integer({ min: 1, max: 4 }),
    identity: fc.constantFrom(1, 2 ** 31, 2 ** 48 - 1, "duid 00030001", "port fd00::1/65"),
    iaid: fc.constantFrom(undefined, 0, 7),
    prefixLength: fc.constantFrom(undefined, 56),
    policy: fc.constantFrom("dynamic", "fixed", "retained", "preserved"),
    state: fc.constantFrom("bound", "released", "declined"),
    startsAt: fc.constantFrom(0, 1.7e12, 1.7e12 + 0.5),
    clientId: bytes,
    circuitId: bytes,
    remoteId: bytes,
    giaddr: fc.constantFrom(0, 0xffff_ffff, 1n << 127n),
    hasRelay: fc.boolean(),
    isOdd: fc.boolean(),
  })
  .map(({ clientId, circuitId, remoteId, giaddr, hasRelay, isOdd, iaid, prefixLength, ...row }): Lease => {
    const relay = { giaddr, ...(circuitId && { circuitId }), ...(remoteId && { remoteId }) };
    return lease({
      ...row,
      ...(clientId && { clientId }),
      ...(iaid !== undefined && { iaid }),
      ...(prefixLength !== undefined && { prefixLength }),
      ...(hasRelay && { relay }),
      ...(isOdd && { later: "field" }),
    });
  });

const someInterface = fc
  .record({
    id: fc.integer({ min: 1, max: 5 }),
    segment: fc.integer({ min: 1, max: 2 }),
    identity: fc.constantFrom(1, 2, 2 ** 48 - 1, "duid 00030001", "port fd00::1/65"),
    role: fc.constantFrom("host", "host_bmc", "dpu_bmc", "dpu_oob", "other", "of a later version"),
    identifiedBy: fc.constantFrom("expected", "lease", "declared"),
    machine: fc.constantFrom(undefined, "m1", "m2"),
    label: fc.constantFrom(undefined, "a", "A", "b"),
    state: fc.constantFrom(undefined, "predicted", "away"),
    isOdd: fc.boolean(),
  })
  .map(({ machine, label, state, role, isOdd, ...row }): Interface => {
    const { machine: _machine, label: _label, ...bare } = iface({ ...row, role: role as Role });
    return {
      ...bare,
      ...(machine && { machine }),
      ...(label && { label }),
      ...(state && { state }),
      ...(isOdd && { later: "field" }),
    };
  });

const ops = <R>(row: fc.Arbitrary<R>) =>
  fc.array(fc.record({ do: fc.constantFrom("put", "put", "put", "drop", "freeze"), row, taken: fc.nat(3) }), {
    maxLength: 60,
  });

interface Reader<R> {
  readonly rows: Iterator<R>;
  readonly taken: R[];
  readonly wanted: readonly R[];
}

function take<R>({ rows, taken }: Reader<R>, most: number): void {
  for (let n = 0; n < most; n++) {
    const next = rows.next();
    if (next.done === true) return;
    taken.push(next.value);
  }
}

/** Plays the steps on both; a frozen reader takes some rows at a time while the rest goes on. */
function play<R extends object>(
  steps: readonly { readonly do: string; readonly row: R; readonly taken: number }[],
  packed: { put(row: R): R | undefined; drop(row: R): void; all(): Iterable<R>; frozen(): Iterable<R>; size: number },
  keyOf: (row: R) => string,
  mustAgree: (plain: ReadonlyMap<string, R>) => void,
): void {
  const plain = new Map<string, R>();
  let reader: Reader<R> | undefined;
  const sorted = (rows: Iterable<R>): R[] => [...rows].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const finish = (): void => {
    if (!reader) return;
    take(reader, Infinity);
    assert.deepEqual(sorted(reader.taken), reader.wanted, "as it was when it was frozen");
    reader = undefined;
  };
  for (const step of steps) {
    const key = keyOf(step.row);
    if (step.do === "put") {
      assert.deepEqual(packed.put(step.row), plain.get(key));
      plain.set(key, step.row);
    } else if (step.do === "drop") {
      const held = plain.get(key);
      if (held) packed.drop(held);
      plain.delete(key);
    } else {
      finish();
      reader = { rows: packed.frozen()[Symbol.iterator](), taken: [], wanted: sorted(plain.values()) };
    }
    if (reader) take(reader, step.taken);
    assert.deepEqual(sorted(packed.all()), sorted(plain.values()));
    assert.equal(packed.size, plain.size);
    mustAgree(plain);
  }
  finish();
}

test("leases in columns answer as leases in a Map, and a frozen state stays as it was", () => {
  fc.assert(
    fc.property(ops(someLease), (steps) => {
      const packed = new Leases();
      play(
        steps,
        packed,
        ({ vrf, address }) => `${vrf} ${address}`,
        (plain) => {
          for (const row of plain.values()) assert.deepEqual(packed.get(row.address, row.vrf), row);
          for (let id = 1; id <= 4; id++) {
            const held = [...plain.values()].filter((row) => row.interface === id);
            assert.deepEqual(new Set(packed.heldBy(id)), new Set(held));
            const prefixes = held.filter(({ prefixLength }) => prefixLength !== undefined);
            assert.deepEqual(new Set(packed.delegatedTo(id)), new Set(prefixes));
            assert.equal(packed.of(id, 4).length + packed.of(id, 6).length, held.length - prefixes.length);
          }
          assert.equal(
            packed.at(0x0a00_0001).length,
            [...plain.values()].filter((row) => row.address === 0x0a00_0001).length,
          );
        },
      );
    }),
    { numRuns: 200 },
  );
});

test("interfaces in columns answer as interfaces in a Map, by id, identity and label", () => {
  fc.assert(
    fc.property(ops(someInterface), (steps) => {
      const packed = new Interfaces();
      play(
        steps,
        packed,
        ({ id }) => String(id),
        (plain) => {
          const rows = [...plain.values()].toSorted((a, b) => a.id - b.id);
          for (const row of rows) assert.deepEqual(packed.get(row.id), row);
          for (const identity of [1, 2, 2 ** 48 - 1, "duid 00030001", "port fd00::1/65", "duid ff"] as const)
            assert.deepEqual(
              packed.of(identity),
              rows.filter((row) => row.identity === identity),
            );
          for (const label of ["a", "b"])
            assert.deepEqual(
              packed.labelled(label),
              rows.filter((row) => row.label?.toLowerCase() === label),
            );
        },
      );
    }),
    { numRuns: 200 },
  );
});

const row = (n: number): Lease => lease({ address: `10.1.${n >> 8}.${n & 255}`, interface: n, version: n + 1 });

test("after many rows were added and dropped the index finds every row that is left", () => {
  const packed = new Leases();
  for (let n = 0; n < 5000; n++) packed.put(row(n));
  for (let n = 0; n < 5000; n += 2) packed.drop(row(n));
  for (let n = 5000; n < 8000; n++) packed.put(row(n));
  for (let n = 0; n < 8000; n++)
    assert.equal(packed.heldBy(n).length, n < 5000 && n % 2 === 0 ? 0 : 1, `interface ${n}`);
  assert.equal(packed.size, 5500);
});
