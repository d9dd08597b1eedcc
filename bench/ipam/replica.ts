/** A process with a replica and nothing else: says how long it took to be current, and what it weighs. */
import { createReplica, PgSource } from "@firstlight/ipam";
import { systemClock } from "@firstlight/service";
import { readFileSync } from "node:fs";

const [url = "", snapshotFile = ""] = process.argv.slice(2);
const MIB = 2 ** 20;

const began = performance.now();
await using source = new PgSource({ url, name: "bench" });
await using following = await createReplica(source, systemClock, {
  snapshotFile,
  startMs: 120_000,
  snapshotEveryMs: 3_600_000,
});
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage();
let rows = 0;
for (const _ of following.replica.leases()) rows += 2; // each with its interface
await new Promise((done) => setTimeout(done, 100));
(globalThis as { gc?: () => void }).gc?.();
const { heapUsed, rss, external } = process.memoryUsage();
const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? 0) / 1024;
console.log(
  JSON.stringify({
    rows,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    heapMiB: (heapUsed + external) / MIB,
    rssMiB: rss / MIB,
    peakMiB: peak,
  }),
);
