/** A process that only has a replica. It prints how long the replica took to be current, and its memory meanwhile and afterwards, as JSON. */
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createReplica, PgSource } from "@firstlight/ipam/replica";
import { systemClock } from "@firstlight/service";
import { HOLDINGS } from "./holdings.ts";

const [url = "", snapshotFile = "", name = "everything"] = process.argv.slice(2);
const MIB = 2 ** 20;
/** How often PSS is read while the replica loads: the kernel records the peak of RSS only. */
const PSS_EVERY_MS = 100;
/** How long to wait for the first snapshot, which is written as soon as the replica is current (a million rows: one to two seconds). */
const MAX_SAVING_MS = 20_000;
const SETTLE_MS = 2000;

const bareMiB = pss(); // before anything is loaded
let peakPssMiB = bareMiB;
const pssTimer = setInterval(() => (peakPssMiB = Math.max(peakPssMiB, pss())), PSS_EVERY_MS);
const isRestored = existsSync(snapshotFile);

const began = performance.now();
const source = new PgSource({ url, name: "bench" });
const holding = HOLDINGS[name]!;
const options = { holding, snapshotFile, startMs: 120_000, snapshotEveryMs: 3_600_000 };
const following = await createReplica(source, systemClock, options);
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage();

const saving = performance.now();
while (!existsSync(snapshotFile) && performance.now() - saving < MAX_SAVING_MS) await sleep(10);
const saveSeconds = isRestored ? 0 : (performance.now() - saving) / 1000;
await sleep(SETTLE_MS);
clearInterval(pssTimer);

const settled = { rssMiB: status("VmRSS"), pssMiB: pss() };
const peak = { peakRssMiB: status("VmHWM"), peakPssMiB: Math.max(peakPssMiB, settled.pssMiB) };
let rows = 0;
const rowsPerLease = holding.kinds.includes("interface") ? 2 : 1;
for (const _ of following.replica.leases()) rows += rowsPerLease;
(globalThis as { gc?: () => void }).gc?.();
const { heapUsed, external } = process.memoryUsage();
const cpuSeconds = (user + system) / 1e6;
const heapMiB = (heapUsed + external) / MIB;
console.log(JSON.stringify({ rows, seconds, cpuSeconds, saveSeconds, bareMiB, heapMiB, ...settled, ...peak }));
await following.follower.stop();
await source[Symbol.asyncDispose]();

function status(name: string): number {
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? 0) / 1024;
}

function pss(): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync("/proc/self/smaps_rollup", "latin1"))?.[1] ?? 0) / 1024;
}
