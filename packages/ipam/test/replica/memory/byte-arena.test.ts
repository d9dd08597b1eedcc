/** Bytes in pages are what was held, until they are released, whoever else shares them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ByteInterner } from "../../../src/replica/memory/byte-interner.ts";
import { hashOfName, ByteArena } from "../../../src/replica/memory/byte-arena.ts";

const steps = fc.array(
  fc.record({ isRelease: fc.boolean(), bytes: fc.uint8Array({ maxLength: 4, max: 2 }), nth: fc.nat() }),
  { maxLength: 80 },
);

for (const Kept of [ByteArena, ByteInterner]) {
  test(`${Kept.name}: whatever is held and released, each number says its bytes`, () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const pages = new Kept();
        const held: (readonly [number, Uint8Array])[] = [];
        for (const { isRelease, bytes, nth } of steps) {
          if (isRelease && held.length > 0) pages.release(held.splice(nth % held.length, 1)[0]![0]);
          else held.push([pages.hold(bytes), bytes]);
          for (const [id, wanted] of held) assert.deepEqual(pages.bytes(id), wanted);
        }
        const numbers = new Set(held.map(([id]) => id));
        const distinct = new Set(held.map(([, bytes]) => bytes.join()));
        assert.equal(numbers.size, Kept === ByteInterner ? distinct.size : held.length);
      }),
    );
  });
}

test("an absent string, an empty one and one longer than a page are read back as they were", () => {
  const pages = new ByteArena();
  assert.equal(pages.hold(undefined), 0);
  assert.equal(pages.bytes(0), undefined);
  assert.equal(pages.text(0), undefined);
  const none = pages.hold(new Uint8Array(0));
  const small = pages.hold(Uint8Array.of(7));
  const large = pages.hold(new Uint8Array(3 * 2 ** 20).fill(9));
  const rest = Array.from({ length: 5000 }, (_, n) => pages.hold(new Uint8Array(500).fill(n)));
  assert.deepEqual(pages.bytes(none), new Uint8Array(0));
  assert.deepEqual(pages.bytes(small), Uint8Array.of(7));
  assert.equal(pages.bytes(large)?.length, 3 * 2 ** 20);
  assert.ok(rest.every((id, n) => pages.bytes(id)?.every((byte) => byte === n % 256)));
});

test("new strings reuse the space of released ones", () => {
  const pages = new ByteArena();
  const seen = new Set<number>();
  for (let n = 0; n < 10_000; n++) {
    const id = pages.holdText(`machine-${n % 10}`);
    seen.add(id);
    pages.release(id);
  }
  assert.equal(seen.size, 1);
});

test("a name's hash is the same in either case, and its text is as it was written", () => {
  const pages = new ByteArena();
  const [upper, lower] = [pages.holdText("Rack-7Ä"), pages.holdText("rack-7Ä")];
  assert.equal(pages.nameHash(upper), pages.nameHash(lower));
  assert.equal(pages.nameHash(lower), hashOfName(Buffer.from("rack-7Ä")));
  assert.equal(pages.text(upper), "Rack-7Ä");
});
