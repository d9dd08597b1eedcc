/**
 * A hall that gets its power back: every machine at once, each with BMC, DPU and host, through relays, from the real
 * daemons. STORM_MACHINES (default 10000) says how many, STORM_SECONDS (default 400) how long they may take.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { powerOn, rackSchema } from "@firstlight/rack";
import type { Bench, Contender, Sample } from "./harness/contract.ts";
import { type Hall, openHall, SERVERS, SEGMENTS } from "./storm/hall.ts";
import { figuresOf } from "./storm/figures.ts";
import { Pulse } from "./storm/pulse.ts";
import { Watch } from "./storm/watch.ts";

const MACHINES = Number(process.env["STORM_MACHINES"] ?? 10_000);
const DEADLINE_SECONDS = Number(process.env["STORM_SECONDS"] ?? 400);

const halls = new WeakMap<object, Hall>();

const ours: Contender = {
  name: "firstlight",
  packages: [],
  async start(place) {
    const hall = await openHall(place, MACHINES);
    halls.set(hall, hall);
    return hall;
  },
};

export const bench: Bench = {
  name: "storm",
  operation: `power-on to address, name and boot script: ${MACHINES} machines of three interfaces at once`,
  rounds: 1,
  isOnce: true, // a machine that has booted once is no stranger any more
  packages: [],
  contenders: [ours],
  load: (serving) => load(halls.get(serving)!),
};

async function load(hall: Hall): Promise<Sample> {
  await raiseFileLimit(20 * MACHINES + 1000);
  const config = rackSchema.parse({
    machines: MACHINES,
    concurrency: MACHINES,
    staggerMs: 0,
    deadlineSeconds: DEADLINE_SECONDS,
    until: "script",
    servers: SERVERS,
    segments: SEGMENTS,
  });
  const watch = new Watch();
  const transactions = await hall.transactions();
  using pulse = new Pulse(hall.processes, watch);
  const report = await powerOn(config, (step) => watch.see(step));
  const spent = pulse.spent();
  const counters = await hall.counters();
  for (const word of counters.words) console.log(`  ${word}`);
  return figuresOf({
    report,
    watch,
    spent,
    counters,
    transactions: (await hall.transactions()) - transactions,
    leases: await hall.leases(),
    memory: hall.memory(),
  });
}

/** Every machine has sockets of its own, all of them in this one process. Needs root; without, what is allowed must do. */
async function raiseFileLimit(files: number): Promise<void> {
  await promisify(execFile)("prlimit", ["--pid", String(process.pid), `--nofile=${files}:${files}`]).catch(() => {});
}
