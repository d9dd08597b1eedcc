/** PostgreSQL's binary tuples: what their bytes mean, whatever pieces they come in. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { iface, lease } from "@firstlight/kit";
import * as fc from "fast-check";
import { withSilenceLimit, wholeTuples } from "../../src/feed/copy.ts";
import { Tables } from "../../src/replica/memory/tables.ts";
import { Tuple } from "../../src/tuples/tuple.ts";
import { Tuples } from "../../src/tuples/tuples.ts";
import { TupleWriter } from "../../src/tuples/writer.ts";
import type { Interface, Lease } from "../../src/model/model.ts";

const HEADER = "5047434f50590aff0d0a00 00000000 00000000"; // signature, flags, no extension
const END = "ffff";

/** One interface as COPY sends it. */
const INTERFACE = `
  000b                            11 fields
  00000004 0000002a               id 42
  00000004 00000007               segment 7
  00000006 02f100000001           mac
  ffffffff                        identity NULL
  00000004 686f7374               role host
  00000002 6d31                   machine m1
  ffffffff                        label NULL
  00000005 6c65617365             identified_by lease
  ffffffff                        state NULL
  00000008 0000000100000002       version 2^32 + 2
  ffffffff                        more NULL`;

/** One lease, behind a relay that says nothing of its ports, with a client id of no bytes. */
const LEASE = `
  0012                            18 fields
  00000007 64656661756c74         vrf default
  00000008 02200004 7f40000c      address 127.64.0.12
  00000004 00000007               segment 7
  00000004 0000002a               interface 42
  00000006 02f100000001           mac
  ffffffff                        identity NULL
  ffffffff                        iaid NULL
  00000008 72657461696e6564       policy retained
  00000005 626f756e64             state bound
  00000008 0000000000000000       starts_at 2000-01-01 00:00:00+00
  00000008 00000000000f4240       expires_at, a second later
  00000008 fffffffffffffc18       reusable_at, a millisecond before
  00000000                        client_id, empty
  00000014 03800010 fd000000000000000000000000000001    giaddr fd00::1
  ffffffff                        circuit_id NULL
  ffffffff                        remote_id NULL
  00000008 0000000000000003       version 3
  ffffffff                        more NULL`;

/** Annotated hex: the bytes of each line stand before two spaces. */
function hex(text: string): Buffer {
  const lines = text.split("\n").map((line) => line.trim().split(/ {2,}/)[0] ?? "");
  return Buffer.from(lines.join("").replaceAll(" ", ""), "hex");
}

const DAWN_2000 = 946_684_800_000;
const THE_INTERFACE: Interface = {
  kind: "interface",
  id: 42,
  segment: 7,
  identity: 0x02f1_0000_0001,
  role: "host",
  machine: "m1",
  identifiedBy: "lease",
  version: 2 ** 32 + 2,
};
const THE_LEASE: Lease = {
  kind: "lease",
  vrf: "default",
  address: 0x7f40_000c,
  segment: 7,
  interface: 42,
  identity: 0x02f1_0000_0001,
  policy: "retained",
  state: "bound",
  startsAt: DAWN_2000,
  expiresAt: DAWN_2000 + 1000,
  reusableAt: DAWN_2000 - 1,
  clientId: new Uint8Array(0),
  relay: { giaddr: (0xfdn << 120n) | 1n },
  version: 3,
};

test("the bytes of a tuple are the row", () => {
  assert.deepEqual([...new Tuples("interface", hex(INTERFACE), 1)], [THE_INTERFACE]);
  assert.deepEqual([...new Tuples("lease", hex(LEASE), 1)], [THE_LEASE]);
});

test("the writer writes what PostgreSQL writes", () => {
  const writer = new TupleWriter();
  writer.write(THE_INTERFACE);
  assert.deepEqual(Buffer.from(writer.take()), hex(INTERFACE));
  writer.write(THE_LEASE);
  assert.deepEqual(Buffer.from(writer.take()), hex(LEASE));
});

test("a row that a tuple cannot hold is not written as one", () => {
  assert.equal(TupleWriter.fits(THE_LEASE), true);
  assert.equal(TupleWriter.fits({ ...THE_LEASE, startsAt: 0.5 }), false);
  assert.equal(TupleWriter.fits({ ...THE_LEASE, later: 1 } as Lease), false);
  assert.equal(TupleWriter.fits({ ...THE_LEASE, relay: { giaddr: 1, later: 1 } as never }), false);
});

async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % Math.max(1, sizes.length)] ?? bytes.length;
    yield await Promise.resolve(bytes.subarray(at, (at += size)));
  }
}

async function rowsOf(chunks: AsyncIterable<Uint8Array>): Promise<(Interface | Lease)[]> {
  const rows: (Interface | Lease)[] = [];
  for await (const bytes of wholeTuples(chunks)) rows.push(...new Tuples("lease", bytes, 0));
  return rows;
}

/** More than two batches. */
const MANY = Array.from({ length: 6000 }, (_, n) => lease({ interface: n + 1, clientId: new Uint8Array(n % 50) }));
const manyBytes = ((): Buffer => {
  const writer = new TupleWriter();
  for (const row of MANY) writer.write(row);
  return Buffer.concat([hex(HEADER), writer.take(), hex(END)]);
})();

test("a copy gives the same rows, however it is split into chunks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 30_000, max: 600_000 })), {
        minLength: 1,
        maxLength: 8,
      }),
      async (sizes) => {
        const few = Buffer.concat([hex(HEADER), hex(LEASE), hex(LEASE), hex(END)]);
        assert.deepEqual(await rowsOf(pieces(few, sizes)), [THE_LEASE, THE_LEASE]);
        const large = sizes.map((size) => size + 20_000);
        assert.equal((await rowsOf(pieces(manyBytes, large))).length, MANY.length);
      },
    ),
    { numRuns: 20 },
  );
  assert.deepEqual(await rowsOf(pieces(manyBytes, [65_536])), MANY);
});

test("a copy that is cut anywhere is an error, never fewer rows", async () => {
  const bytes = Buffer.concat([hex(HEADER), hex(LEASE), hex(LEASE), hex(END)]);
  for (let length = 0; length < bytes.length; length++)
    await assert.rejects(rowsOf(pieces(bytes.subarray(0, length), [])), `cut at ${length}`);
});

test("arbitrary bytes give tuples or an error, and nothing is read beyond their end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const inside = Buffer.concat([bytes, hex(LEASE)]).subarray(0, bytes.length);
      const tuple = new Tuple().over(inside);
      try {
        while (tuple.next()) assert.ok(tuple.at <= bytes.length);
      } catch (error) {
        assert.match(String(error), /a tuple of|a field of/);
      }
    }),
  );
});

test("a database that sends nothing for too long is given up", async () => {
  const stream = new PassThrough();
  stream.write(hex(HEADER));
  await assert.rejects(rowsOf(withSilenceLimit(stream, 20)), /sent nothing for 20 ms/);
});

test("rows added after a load fit into reserved room: no column is copied", () => {
  const total = 50_000;
  const writer = new TupleWriter();
  for (let n = 1; n <= total; n++) writer.write(iface({ id: n, identity: n, machine: `m${n}`, label: `m${n}` }));
  const tables = new Tables();
  const batch = new Tuples("interface", writer.take(), total);
  tables.take(batch);
  const before = process.memoryUsage().arrayBuffers;
  for (let n = 1; n <= 100; n++) tables.put(iface({ id: total + n, identity: total + n, label: `late${n}` }));
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 500_000, `${grown} bytes more for a hundred rows`);
  assert.equal(tables.interfaces.size, total + 100);
  for (let id = 1; id <= total + 100; id++) {
    const row = tables.interfaces.get(id);
    assert.equal(row?.identity, id);
    assert.equal(tables.interfaces.labelled(row.label!)[0]?.id, id);
  }
});

test("rows written as tuples are read back as they were", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 });
  const some = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(
      fc.record({ machine: text, label: text, state: fc.constantFrom("predicted", "away") }, { requiredKeys: [] }),
      fc.record({ vrf: text, clientId: some }, { requiredKeys: [] }),
      fc.option(fc.record({ giaddr: fc.constantFrom(0, 1n << 127n), circuitId: some, remoteId: some }), {
        nil: undefined,
      }),
      (wire, promise, relay) => {
        const interfaces = [iface(wire), iface()];
        const leases = [lease({ ...promise, ...(relay && { relay: { ...relay } }) }), lease({ address: "fd00::1" })];
        for (const rows of [interfaces, leases]) {
          const writer = new TupleWriter();
          for (const row of rows) writer.write(row);
          assert.deepEqual([...new Tuples(rows[0]!.kind, writer.take(), 2)], rows);
        }
      },
    ),
  );
});
