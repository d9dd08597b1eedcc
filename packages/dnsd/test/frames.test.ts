import assert from "node:assert/strict";
import { test } from "node:test";
import { framed } from "@firstlight/kit";
import { isMalformed } from "@firstlight/wire";
import * as fc from "fast-check";
import { Frames, MAX_QUERY_BYTES } from "../src/frames.ts";

test("however a stream is cut, the queries in it are the ones that were put in", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (queries, cuts) => {
        const stream = Uint8Array.from(queries.flatMap((query) => [...framed(query)]));
        const frames = new Frames();
        const read: Uint8Array[] = [];
        for (let at = 0, n = 0; at < stream.length; n++) {
          const end = at + cuts[n % cuts.length]!;
          frames.push(stream.slice(at, end));
          at = end;
          for (let query = frames.next(); query !== undefined; query = frames.next()) {
            assert(!isMalformed(query));
            read.push(Uint8Array.from(query));
          }
        }
        assert.deepEqual(read, queries);
      },
    ),
  );
});

test("a length beyond any question is malformed at once: nothing is kept for it", () => {
  const frames = new Frames();
  frames.push(Uint8Array.of((MAX_QUERY_BYTES + 1) >>> 8, (MAX_QUERY_BYTES + 1) & 255));
  assert(isMalformed(frames.next()!));
});
