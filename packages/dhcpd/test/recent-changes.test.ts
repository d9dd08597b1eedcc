import assert from "node:assert/strict";
import { test } from "node:test";
import type { Applied } from "@firstlight/ipam";
import { RecentChanges } from "../src/lease/recent-changes.ts";

const change = (position: number): Applied => ({ position }) as Applied;
const changes = (epoch: string, ...positions: number[]) => ({
  is: "changes" as const,
  changes: positions.map(change),
  at: { epoch, position: positions.at(-1)! },
});
const positions = (found: ReturnType<RecentChanges["after"]>) => found?.map(({ position }) => position);

test("what follows a position is known as far back as changes are kept, and no further", () => {
  const tail = new RecentChanges(3);
  assert.equal(tail.after({ epoch: "e", position: 0 }, 10), undefined, "nothing was told yet");
  tail.follow(changes("e", 5, 6));
  tail.follow(changes("e", 7));
  assert.equal(tail.after({ epoch: "e", position: 3 }, 10), undefined);
  assert.deepEqual(positions(tail.after({ epoch: "e", position: 4 }, 10)), [5, 6, 7]);
  assert.deepEqual(positions(tail.after({ epoch: "e", position: 4 }, 2)), [5, 6]);
  assert.deepEqual(positions(tail.after({ epoch: "e", position: 7 }, 10)), []);
  tail.follow(changes("e", 8, 9, 10, 11));
  assert.deepEqual(positions(tail.after({ epoch: "e", position: 8 }, 10)), [9, 10, 11]);
  assert.equal(tail.after({ epoch: "e", position: 6 }, 10), undefined, "forgotten");
});

test("a reload or another epoch makes the positions before mean nothing", () => {
  const tail = new RecentChanges(3);
  tail.follow(changes("e", 1, 2));
  tail.follow({ is: "reload", at: { epoch: "f", position: 9 } });
  assert.equal(tail.after({ epoch: "e", position: 1 }, 10), undefined);
  assert.equal(tail.after({ epoch: "f", position: 9 }, 10), undefined);
  tail.follow(changes("f", 10));
  assert.deepEqual(positions(tail.after({ epoch: "f", position: 9 }, 10)), [10]);
});
