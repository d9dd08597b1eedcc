import assert from "node:assert/strict";
import test from "node:test";
import { type Timings, gate, compare, MAX_RATIO } from "../micro/gate.ts";

const BASELINE: Timings = { calibrationNs: 1000, cases: { offer: 10_000, answer: 200 } };

/** Timings on a machine that is `machine` times as slow; the cases take `times` times their baseline. */
function figures(machine: number, times: Readonly<Record<string, number>> = {}): Timings {
  const cases = Object.entries(BASELINE.cases).map(([name, ns]) => [name, ns * machine * (times[name] ?? 1)] as const);
  return { calibrationNs: BASELINE.calibrationNs * machine, cases: Object.fromEntries(cases) };
}

const failures = (verdicts: ReturnType<typeof compare>): string[] =>
  verdicts.flatMap(({ name, because }) => (because === undefined ? [] : [`${name}: ${because}`]));

test("the speed of the machine does not matter", () => {
  assert.deepEqual(failures(compare(figures(5), BASELINE)), []);
  assert.deepEqual(failures(compare(figures(0.2), BASELINE)), []);
});

test("a case that takes four times its baseline fails; the others pass", () => {
  assert.deepEqual(failures(compare(figures(1, { offer: 4 }), BASELINE)), [
    `offer: takes 4.0 times its baseline; ${MAX_RATIO} times are allowed`,
  ]);
});

test("a case that takes four times its baseline fails on a faster machine, too", () => {
  assert.equal(failures(compare(figures(0.25, { offer: 4 }), BASELINE)).length, 1);
});

test("a case up to three times its baseline passes", () => {
  assert.deepEqual(failures(compare(figures(1, { offer: 2.9, answer: 1.4 }), BASELINE)), []);
});

test("a case without a baseline, or a baseline without a case, fails", () => {
  const { answer, ...rest } = BASELINE.cases;
  assert.ok(answer);
  assert.match(
    failures(compare({ calibrationNs: 1000, cases: rest }, BASELINE)).join(),
    /^answer: is in the baseline and was not measured/,
  );
  assert.match(
    failures(compare(BASELINE, { calibrationNs: 1000, cases: rest })).join(),
    /^answer: is not in the baseline/,
  );
});

test("a timing that is not a number fails", () => {
  assert.equal(failures(compare(figures(1, { offer: Number.NaN }), BASELINE)).length, 1);
});

test("a slow case is measured again alone and passes if it is fast then", async () => {
  const tries: (readonly string[] | undefined)[] = [];
  const verdicts = await gate(async (names) => {
    tries.push(names);
    return names === undefined ? figures(1, { offer: 4 }) : { calibrationNs: 1000, cases: { offer: 10_500 } };
  }, BASELINE);
  assert.deepEqual(tries, [undefined, ["offer"]]);
  assert.deepEqual(failures(verdicts), []);
  assert.equal(verdicts.length, 2);
});

test("a case that is slow three times fails", async () => {
  let tries = 0;
  const verdicts = await gate(async () => (tries++, figures(1, { offer: 4 })), BASELINE);
  assert.equal(tries, 3);
  assert.equal(failures(verdicts).length, 1);
});
