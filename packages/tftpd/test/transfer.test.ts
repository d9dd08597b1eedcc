import assert from "node:assert/strict";
import test from "node:test";
import { assert as holds, integer, property, record, array, boolean } from "fast-check";
import { negotiate } from "../src/options.ts";
import { type Effect, type Event, start, step, type Transfer } from "../src/transfer.ts";

const agreed = (asked: Record<string, string>, bytes: number) =>
  negotiate(new Map(Object.entries(asked)), { blockBytes: 1468, windowBlocks: 64 }, bytes);
const ack = (block: number): Event => ({ is: "ack", block });
const send = (from: number, count = 1): Effect[] => [{ do: "send", from, count }];

test("without options the first block leaves at once, each acknowledgement brings the next, a short one ends it", () => {
  let [transfer, effects] = start(1000, 0);
  assert.deepEqual(effects, send(1));
  [transfer, effects] = step(transfer, ack(1), 1);
  assert.deepEqual(effects, send(2));
  [transfer, effects] = step(transfer, ack(2), 2);
  assert.deepEqual(effects, [{ do: "end", because: "sent" }]);
});

test("a file of whole blocks ends with an empty one", () => {
  const [transfer] = start(1024, 0);
  assert.equal(transfer.last, 3);
  assert.equal(start(0, 0)[0].last, 1);
});

test("a lost block is sent again after one second, then after two, four and eight more, then we give up", () => {
  let [transfer, effects] = start(1000, 0);
  const sentAt: number[] = [];
  for (let now = 0; now <= 60_000; now += 250) {
    [transfer, effects] = step(transfer, { is: "tick" }, now);
    if (effects[0]?.do === "send") sentAt.push(now);
    if (effects[0]?.do === "end") {
      assert.deepEqual(effects, [{ do: "end", because: "no-answer" }]);
      break;
    }
  }
  assert.deepEqual(sentAt, [1000, 3000, 7000, 15_000, 23_000]);
  assert.equal(transfer.resent, 5);
});

test("the client's own timeout is the first wait", () => {
  let [transfer, effects] = start(1000, 0, agreed({ timeout: "5" }, 1000));
  [transfer, effects] = step(transfer, { is: "tick" }, 4999);
  assert.deepEqual(effects, []);
  [transfer, effects] = step(transfer, { is: "tick" }, 5000);
  assert.deepEqual(effects, [{ do: "oack" }]);
});

test("options are acknowledged first; block 0 opens the data", () => {
  let [transfer, effects] = start(5000, 0, agreed({ blksize: "1468", windowsize: "4" }, 5000));
  assert.deepEqual(effects, [{ do: "oack" }]);
  [transfer, effects] = step(transfer, ack(1), 1);
  assert.deepEqual(effects, [{ do: "ignore", because: "acknowledges-unsent" }]);
  [transfer, effects] = step(transfer, ack(0), 2);
  assert.deepEqual(effects, send(1, 4));
  [transfer, effects] = step(transfer, ack(4), 3);
  assert.deepEqual(effects, [{ do: "end", because: "sent" }]);
});

test("EDK2's size probe ends with error 8 after the OACK, and that is no failure", () => {
  const probe = agreed({ tsize: "0", blksize: "1468", windowsize: "4" }, 173_792);
  assert.deepEqual(
    [...probe.options],
    [
      ["tsize", "173792"],
      ["blksize", "1468"],
      ["windowsize", "4"],
    ],
  );
  const [transfer] = start(173_792, 0, probe);
  assert.deepEqual(step(transfer, { is: "error", code: 8 }, 1)[1], [{ do: "end", because: "probe" }]);
});

test("any other error of the client ends it as given up", () => {
  const [transfer] = start(5000, 0);
  assert.deepEqual(step(transfer, { is: "error", code: 8 }, 1)[1], [{ do: "end", because: "client-gave-up" }]);
  assert.deepEqual(step(transfer, { is: "error", code: 3 }, 1)[1], [{ do: "end", because: "client-gave-up" }]);
});

test("a duplicate acknowledgement is never answered: no sorcerer's apprentice", () => {
  let [transfer, effects] = start(5000, 0);
  [transfer, effects] = step(transfer, ack(1), 1);
  const before = transfer;
  [transfer, effects] = step(transfer, ack(1), 2);
  assert.deepEqual(effects, [{ do: "ignore", because: "duplicate-acknowledgement" }]);
  assert.deepEqual(transfer, before);
  [transfer, effects] = step(transfer, ack(0), 3);
  assert.deepEqual(effects, [{ do: "ignore", because: "acknowledges-unsent" }]);
});

test("a window goes on from the last block the client had in order", () => {
  let [transfer, effects] = start(100_000, 0, agreed({ windowsize: "8" }, 100_000));
  [transfer, effects] = step(transfer, ack(0), 0);
  assert.deepEqual(effects, send(1, 8));
  [transfer, effects] = step(transfer, ack(3), 5);
  assert.deepEqual(effects, send(4, 8));
});

test("a window whose first block was lost is sent again soon, but not at once", () => {
  let [transfer, effects] = start(100_000, 0, agreed({ windowsize: "8" }, 100_000));
  [transfer] = step(transfer, ack(0), 0);
  [transfer] = step(transfer, ack(8), 10);
  [transfer, effects] = step(transfer, ack(8), 20);
  assert.equal(effects[0]?.do, "ignore");
  [transfer, effects] = step(transfer, { is: "tick" }, 49);
  assert.deepEqual(effects, []);
  [transfer, effects] = step(transfer, { is: "tick" }, 50);
  assert.deepEqual(effects, send(9, 8));
  [transfer, effects] = step(transfer, ack(8), 51); // only once: further duplicates wait for the timer
  assert.deepEqual(step(transfer, { is: "tick" }, 500)[1], []);
});

test("blocks roll over past 65535 and the file goes on", () => {
  const bytes = 70_000 * 512;
  let [transfer, effects] = start(bytes, 0);
  for (let block = 1; block <= 70_000; block++) {
    assert.deepEqual(effects, send(block));
    [transfer, effects] = step(transfer, ack(block & 0xffff), block);
  }
  assert.deepEqual(effects, send(70_001));
  [transfer, effects] = step(transfer, ack(70_001 & 0xffff), 70_001);
  assert.deepEqual(effects, [{ do: "end", because: "sent" }]);
});

test("the same request again, before anything was acknowledged, repeats the OACK; later it means nothing", () => {
  let [transfer, effects] = start(5000, 0, agreed({ blksize: "1024" }, 5000));
  [transfer, effects] = step(transfer, { is: "again" }, 10);
  assert.deepEqual(effects, [{ do: "oack" }]);
  [transfer] = step(transfer, ack(0), 20);
  assert.deepEqual(step(transfer, { is: "again" }, 30)[1], [{ do: "ignore", because: "already-under-way" }]);
});

test("a file that cannot be read on is said so", () => {
  const [transfer] = start(5000, 0);
  assert.deepEqual(step(transfer, { is: "fault" }, 1)[1], [
    { do: "error", code: 0, message: "file could not be read" },
    { do: "end", because: "file-unreadable" },
  ]);
});

test("law: over any lossy network a patient client gets every block exactly once and in order", () => {
  const network = record({
    bytes: integer({ min: 0, max: 40_000 }),
    window: integer({ min: 1, max: 16 }),
    losses: array(boolean(), { minLength: 40, maxLength: 200 }),
  });
  holds(
    property(network, ({ bytes, window, losses }) => assert.deepEqual(...deliver(bytes, window, losses))),
    { numRuns: 200 },
  );
});

/** Runs a transfer over a network that loses what `losses` says (never all), and what must have come. */
function deliver(bytes: number, window: number, losses: readonly boolean[]): [number[], number[]] {
  const client = { got: [] as number[], unacknowledged: 0 };
  let drawn = 0;
  const isLost = (): boolean => drawn < losses.length && losses[drawn++]! && drawn % 3 === 0;
  const patience = { retryMs: 1000, maxRetryMs: 1000, retries: 1000 };
  let [transfer, effects] = start(bytes, 0, agreed({ windowsize: String(window) }, bytes), patience);
  for (let now = 0; now < 500_000 && !effects.some((effect) => effect.do === "end"); now += 10) {
    const events = effects.flatMap((effect) => answers(effect, client, isLost, transfer.last, window));
    effects = [];
    for (const event of [...events, { is: "tick" } as const]) {
      const [after, more]: [Transfer, readonly Effect[]] = step(transfer, event, now);
      transfer = after;
      effects = [...effects, ...more];
    }
  }
  return [client.got, Array.from({ length: transfer.last }, (_, i) => i + 1)];
}

/** A client by RFC 7440 §4: takes blocks in order; acknowledges a whole window, the last block, a gap and a repetition. */
function answers(
  effect: Effect,
  client: { got: number[]; unacknowledged: number },
  isLost: () => boolean,
  last: number,
  window: number,
): Event[] {
  if (effect.do === "oack") return isLost() ? [] : [ack(0)];
  if (effect.do !== "send") return [];
  const arrived = Array.from({ length: effect.count }, (_, i) => effect.from + i).filter(() => !isLost());
  const had = client.got.length;
  for (const block of arrived) if (block === client.got.length + 1) client.got.push(block);
  const have = client.got.length;
  client.unacknowledged += have - had;
  const hasGap = arrived.some((block) => block > have);
  const isRepeated = arrived.length > 0 && have === had;
  if (!hasGap && !isRepeated && have !== last && client.unacknowledged < window) return [];
  if (arrived.length === 0 || isLost()) return [];
  client.unacknowledged = 0;
  return [ack(have & 0xffff)];
}
