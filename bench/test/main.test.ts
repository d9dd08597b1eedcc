import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { FLAMES } from "../flame/flames.ts";
import { PEERS, reportSchema } from "../harness/report.ts";
import { GRACE_MS } from "../harness/rounds.ts";
import { load } from "../harness/side.ts";

const NAMES = reportSchema.shape.bench.options;

function bench(...args: readonly string[]) {
  return spawnSync(process.execPath, [join(import.meta.dirname, "../main.ts"), ...args], { encoding: "utf8" });
}

test("--help names every verb and ends with 0", () => {
  const { status, stdout } = bench("--help");
  assert.equal(status, 0);
  for (const verb of [...NAMES, "micro", "flame", ...Object.keys(FLAMES)]) assert.ok(stdout.includes(verb), verb);
});

test("what the command line cannot mean is one line and exit 2", () => {
  for (const args of [["nothing"], ["dns", "--rounds", "0"], ["flame", "x"]]) {
    const { status, stderr } = bench(...args);
    assert.equal(status, 2, args.join(" "));
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
});

test("every bench has ours and, of peers, only those that a report may name", async () => {
  for (const name of NAMES) {
    const { contenders, rounds, operation } = await load(name);
    assert.equal(contenders.filter(({ peer }) => peer === undefined).length, 1, name);
    for (const { peer } of contenders) assert.ok(peer === undefined || PEERS.includes(peer), peer);
    assert.ok(rounds >= 1 && operation.length > 0);
  }
});

test("every flame is of a bench and a variant that there are", async () => {
  for (const [daemon, { bench: name, variant }] of Object.entries(FLAMES)) {
    const { variants } = await load(name);
    assert.ok(variant === undefined || variants?.includes(variant), daemon);
    assert.ok(variants === undefined || variant !== undefined, daemon);
  }
});

test("a bench ends within nine minutes", () => {
  const minutes = Number(/--minutes N .*default (\d+)/.exec(bench("--help").stdout)?.[1]);
  assert.ok(minutes * 60_000 + GRACE_MS <= 9 * 60_000);
});
