import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { PROFILED_DAEMONS } from "../flame/daemons.ts";
import { PEERS, reportSchema } from "../harness/report.ts";
import { GRACE_MS } from "../harness/rounds.ts";
import { loadBench } from "../harness/run-bench.ts";

const NAMES = reportSchema.shape.bench.options;

function bench(...args: readonly string[]) {
  return spawnSync(process.execPath, [join(import.meta.dirname, "../main.ts"), ...args], { encoding: "utf8" });
}

test("--help names every command and exits 0", () => {
  const { status, stdout } = bench("--help");
  assert.equal(status, 0);
  for (const command of [...NAMES, "micro", "flame", ...Object.keys(PROFILED_DAEMONS)])
    assert.ok(stdout.includes(command), command);
});

test("a wrong command line prints one line and exits 2", () => {
  for (const args of [["nothing"], ["dns", "--rounds", "0"], ["flame", "x"]]) {
    const { status, stderr } = bench(...args);
    assert.equal(status, 2, args.join(" "));
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
});

test("every bench has our contender once, and only peers that a report may name", async () => {
  for (const name of NAMES) {
    const { contenders, rounds, operation } = await loadBench(name);
    assert.equal(contenders.filter(({ peer }) => peer === undefined).length, 1, name);
    for (const { peer } of contenders) assert.ok(peer === undefined || PEERS.includes(peer), peer);
    assert.ok(rounds >= 1 && operation.length > 0);
  }
});

test("every daemon that can be profiled names an existing bench and variant", async () => {
  for (const [daemon, { bench: name, variant }] of Object.entries(PROFILED_DAEMONS)) {
    const { variants } = await loadBench(name);
    assert.ok(variant === undefined || variants?.includes(variant), daemon);
    assert.ok(variants === undefined || variant !== undefined, daemon);
  }
});

test("a bench ends within nine minutes", () => {
  const minutes = Number(/--minutes N .*default (\d+)/.exec(bench("--help").stdout)?.[1]);
  assert.ok(minutes * 60_000 + GRACE_MS <= 9 * 60_000);
});
