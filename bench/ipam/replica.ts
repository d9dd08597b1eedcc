/** A process with a replica and nothing else: says how long it took to be current, and what it weighs. */
import { createReplica, PgSource } from "@firstlight/ipam";
import { systemClock } from "@firstlight/service";
import { readFileSync } from "node:fs";

const [url = "", snapshotFile = ""] = process.argv.slice(2);
const MIB = 2 ** 20;
/** What is asked for while it loads, so that a peak of PSS is seen. */
const LOOK_MS = 100;
/** A daemon that has loaded goes on; V8 and the allocator give back what the load left behind in this time. */
const SETTLE_MS = 3000;

let peakPss = 0;
const look = setInterval(() => (peakPss = Math.max(peakPss, pssMiB())), LOOK_MS);
const bare = pssMiB();
const began = performance.now();
const source = new PgSource({ url, name: "bench" });
const following = await createReplica(source, systemClock, {
  snapshotFile,
  startMs: 120_000,
  snapshotEveryMs: 3_600_000,
});
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage();
const loadedPss = pssMiB();
peakPss = Math.max(peakPss, loadedPss);
await new Promise((done) => setTimeout(done, SETTLE_MS));
clearInterval(look);
const [settledPss, settledRss] = [pssMiB(), status("VmRSS")];
const peakRss = status("VmHWM");
let rows = 0;
for (const _ of following.replica.leases()) rows += 2; // each with its interface
(globalThis as { gc?: () => void }).gc?.();
const { heapUsed, external } = process.memoryUsage();
const saving = performance.now();
await following.follower.stop();
const saveSeconds = (performance.now() - saving) / 1000;
await source[Symbol.asyncDispose]();
console.log(
  JSON.stringify({
    rows,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    heapMiB: (heapUsed + external) / MIB,
    bareMiB: bare,
    loadedPss,
    rssMiB: settledRss,
    pssMiB: settledPss,
    peakRssMiB: peakRss,
    peakPssMiB: peakPss,
    saveSeconds,
    peakSavingMiB: status("VmHWM"),
  }),
);

function status(name: string): number {
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? 0) / 1024;
}

function pssMiB(): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync("/proc/self/smaps_rollup", "latin1"))?.[1] ?? 0) / 1024;
}
