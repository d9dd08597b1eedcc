import assert from "node:assert/strict";
import test from "node:test";
import { type Figures, gate, judge, MOST_TIMES } from "../micro/gate.ts";

const BASELINE: Figures = { calibrationNs: 1000, cases: { offer: 10_000, answer: 200 } };

/** A machine so many times as slow, on which the cases take so many times what they did. */
function figures(machine: number, times: Readonly<Record<string, number>> = {}): Figures {
  const cases = Object.entries(BASELINE.cases).map(([name, ns]) => [name, ns * machine * (times[name] ?? 1)] as const);
  return { calibrationNs: BASELINE.calibrationNs * machine, cases: Object.fromEntries(cases) };
}

const refused = (verdicts: ReturnType<typeof judge>): string[] =>
  verdicts.flatMap(({ name, because }) => (because === undefined ? [] : [`${name}: ${because}`]));

test("a machine five times as slow, or as fast, passes", () => {
  assert.deepEqual(refused(judge(figures(5), BASELINE)), []);
  assert.deepEqual(refused(judge(figures(0.2), BASELINE)), []);
});

test("a case that takes four times what it did is refused by name, the others pass", () => {
  assert.deepEqual(refused(judge(figures(1, { offer: 4 }), BASELINE)), [
    `offer: 4.0 times its baseline; ${MOST_TIMES} are allowed`,
  ]);
});

test("so it is on a faster machine, where it takes no longer than its baseline did", () => {
  assert.equal(refused(judge(figures(0.25, { offer: 4 }), BASELINE)).length, 1);
});

test("a little slower than before is no regression", () => {
  assert.deepEqual(refused(judge(figures(1, { offer: 2.9, answer: 1.4 }), BASELINE)), []);
});

test("a case without a baseline, and a baseline without its case, do not pass in silence", () => {
  const { answer, ...rest } = BASELINE.cases;
  assert.ok(answer);
  assert.match(refused(judge({ calibrationNs: 1000, cases: rest }, BASELINE)).join(), /^answer: .*the run has not/);
  assert.match(refused(judge(BASELINE, { calibrationNs: 1000, cases: rest })).join(), /^answer: .*has it not/);
});

test("a figure that cannot be is refused", () => {
  assert.equal(refused(judge(figures(1, { offer: Number.NaN }), BASELINE)).length, 1);
});

test("what was slow is tried again, alone, and passes where somebody else was to blame", async () => {
  const tries: (readonly string[] | undefined)[] = [];
  const verdicts = await gate(async (names) => {
    tries.push(names);
    return names === undefined ? figures(1, { offer: 4 }) : { calibrationNs: 1000, cases: { offer: 10_500 } };
  }, BASELINE);
  assert.deepEqual(tries, [undefined, ["offer"]]);
  assert.deepEqual(refused(verdicts), []);
  assert.equal(verdicts.length, 2);
});

test("what stays slow in three tries is refused", async () => {
  let tries = 0;
  const verdicts = await gate(async () => (tries++, figures(1, { offer: 4 })), BASELINE);
  assert.equal(tries, 3);
  assert.equal(refused(verdicts).length, 1);
});
