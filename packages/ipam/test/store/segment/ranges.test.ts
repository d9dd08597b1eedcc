import assert from "node:assert/strict";
import test from "node:test";
import { lease, iface, ManualClock, prefix, readAddress, segment } from "@firstlight/kit";
import { formatAddress } from "@firstlight/wire";
import { ipamSchema } from "../../../src/config.ts";
import { Memory } from "../../../src/replica/memory/memory.ts";
import { Tables } from "../../../src/replica/memory/tables.ts";
import type { Row } from "../../../src/model/model.ts";
import { reservedRange } from "../../../src/fields/prefix.ts";

const ip = readAddress;

for (const allocation of ["dynamic", "sequential"] as const) {
  test(`${allocation}: a prefix fills around its reserved ranges, then it is full`, () => {
    const memory = new Memory(new ManualClock());
    const tables = new Tables();
    const reservedRanges = ["127.64.0.2-127.64.0.5", "127.64.0.8/30", "127.64.0.13"].map((text) =>
      reservedRange("127.64.0.0/28", text),
    );
    const rows: Row[] = [
      segment({ allocation }),
      { ...prefix({ prefix: "127.64.0.0/28", reserved: 1, gateway: "127.64.0.1" }), reservedRanges },
    ];
    for (const row of rows) tables.put(row);
    memory.swap(tables, { epoch: "e", position: 0 }, 0);
    const given: string[] = [];
    for (let mac = 1; ; mac++) {
      const found = memory.candidate(memory.segment(1)!, mac);
      if (found.is === "none") break;
      given.push(formatAddress(found.address));
      memory.learn([
        iface({ id: mac, identity: mac }),
        lease({ address: found.address, identity: mac, interface: mac }),
      ]);
    }
    assert.deepEqual(
      given.toSorted((a, b) => Number(ip(a)) - Number(ip(b))),
      ["127.64.0.6", "127.64.0.7", "127.64.0.12", "127.64.0.14"],
    );
  });
}

test("a range is two ends, one address or a prefix, in its prefix; anything else is refused with the reason", () => {
  assert.deepEqual(reservedRange("fd00::/64", "fd00::10-fd00::1f"), {
    first: (0xfd00n << 112n) | 0x10n,
    last: (0xfd00n << 112n) | 0x1fn,
  });
  for (const [text, because] of [
    ["10.0.1.1", /reserved range 10\.0\.1\.1 is not in it$/],
    ["10.0.0.9-10.0.0.1", /ends before it begins/],
    ["fd00::1", /want IPv4/],
    ["moon", /not an/],
  ] as const)
    assert.throws(() => reservedRange("10.0.0.0/24", text), because);
  const read = ipamSchema.parse({
    segments: [{ name: "s", domain: "d", prefixes: [{ prefix: "10.0.0.0/24", reservedRanges: ["10.0.0.9"] }] }],
  });
  assert.deepEqual(read.segments[0]?.prefixes[0]?.reservedRanges, ["10.0.0.9"]);
});
