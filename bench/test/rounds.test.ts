import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import test from "node:test";
import type { Bench, Contender, Sample } from "../harness/contract.ts";
import { ratios, results } from "../harness/figures.ts";
import { coresOf } from "../harness/proc.ts";
import { runRounds } from "../harness/rounds.ts";

const sample = (operations: number): Sample => ({ operations, seconds: 1, failed: 0 });
const started = (name: string): Contender => ({
  name,
  packages: [],
  start: async () => ({ pids: () => [], [Symbol.asyncDispose]: async () => {} }),
});

function bench(change: Partial<Bench>): Bench {
  const contenders = ["firstlight", "nsd", "knot"].map(started);
  return {
    name: "dns",
    operation: "test",
    rounds: 3,
    packages: [],
    contenders,
    load: async () => sample(10),
    ...change,
  };
}

const run = (one: Bench, change: object = {}) =>
  runRounds(one, { rounds: one.rounds, budgetMs: 60_000, print: () => {}, keep: false, ...change });

test("every round runs every contender and begins with another one", async () => {
  const order = await run(bench({}));
  assert.deepEqual(
    order.map(({ round, contender }) => `${round} ${contender}`),
    "0 firstlight,0 nsd,0 knot,1 nsd,1 knot,1 firstlight,2 knot,2 firstlight,2 nsd".split(","),
  );
});

test("a load that never ends loses only its own result", async () => {
  const hung = Promise.withResolvers<Sample>();
  const load: Bench["load"] = (_server, { name }) => (name === "nsd" ? hung.promise : Promise.resolve(sample(5)));
  const printed: string[] = [];
  const measured = await run(bench({ rounds: 1, load }), {
    budgetMs: 100,
    graceMs: 100,
    print: (line: string) => void printed.push(line),
  });
  assert.deepEqual(
    measured.map(({ contender }) => contender),
    ["firstlight"],
  );
  assert.match(printed.at(-1)!, /in the middle of a round/);
  hung.resolve(sample(0)); // so that its folder is removed
});

const failing: Bench["load"] = async (_server, { name }) => {
  if (name === "nsd") throw new Error("no answer");
  return sample(5);
};

test("a contender that fails is left out and its error is printed", async () => {
  const printed: string[] = [];
  const measured = await run(bench({ rounds: 1, load: failing }), { print: (line: string) => void printed.push(line) });
  assert.equal(measured.length, 2);
  assert.ok(printed.includes("nsd, round 1: no answer"));
});

test(
  "a contender that may use another core is refused",
  { skip: process.platform !== "linux" && "Linux only" },
  async () => {
    const unpinned = spawn("sleep", ["60"]);
    try {
      if (coresOf([unpinned.pid!]).every(({ cores }) => cores === "0")) return; // this machine has no other core
      const contender = { ...started("firstlight"), start: async () => runningServer(unpinned.pid!) };
      const printed: string[] = [];
      const measured = await run(bench({ rounds: 1, contenders: [contender] }), {
        print: (line: string) => void printed.push(line),
      });
      assert.equal(measured.length, 0);
      assert.match(printed.join(), /not only on core 0/);
    } finally {
      unpinned.kill();
    }
  },
);

function runningServer(pid: number) {
  return { pids: () => [pid], [Symbol.asyncDispose]: async () => {} };
}

const one = (contender: string, round: number, operations: number, variant?: string) => ({
  contender,
  round,
  variant,
  operations,
  seconds: 1,
  failed: 0,
  cpuSeconds: 1,
  rssBytes: 1,
  foreignCpu: 0,
});
const rate = ({ operations }: { readonly operations: number }): number => operations;

test("a ratio is the median over the rounds, and the lowest of the variants", () => {
  const peers = new Map([["nsd", "nsd"]]);
  const slowRound = [one("firstlight", 0, 10), one("nsd", 0, 5), one("firstlight", 1, 100), one("nsd", 1, 200)];
  const third = [one("firstlight", 2, 30), one("nsd", 2, 30)];
  assert.deepEqual(ratios([...slowRound, ...third], "firstlight", peers, rate), { nsd: 1 });
  const variants = [
    one("firstlight", 0, 4, "a"),
    one("nsd", 0, 2, "a"),
    one("firstlight", 0, 1, "b"),
    one("nsd", 0, 2, "b"),
  ];
  assert.deepEqual(ratios(variants, "firstlight", peers, rate), { "nsd a": 2, "nsd b": 0.5, nsd: 0.5 });
  assert.deepEqual(Object.keys(results(variants)), ["firstlight a", "nsd a", "firstlight b", "nsd b"]);
});
