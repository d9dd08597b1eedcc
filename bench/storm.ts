/**
 * A boot storm: all machines of a data centre are powered on at once, each with BMC, DPU and host, and boot through relays from the
 * real daemons. STORM_MACHINES (default 10000) is their number, STORM_SECONDS (default 400) the time that they may take.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { powerOn, rackSchema } from "@firstlight/rack";
import type { Bench, Contender, Sample } from "./harness/contract.ts";
import { type StormServers, openStormServers, SERVERS, SEGMENTS } from "./storm/servers.ts";
import { figuresOf } from "./storm/figures.ts";
import { ProgressMonitor } from "./storm/progress.ts";
import { StepLog } from "./storm/steps.ts";

const MACHINES = Number(process.env["STORM_MACHINES"] ?? 10_000);
const DEADLINE_SECONDS = Number(process.env["STORM_SECONDS"] ?? 400);

const stormServers = new WeakMap<object, StormServers>();

const ours: Contender = {
  name: "firstlight",
  packages: [],
  async start(placement) {
    const servers = await openStormServers(placement, MACHINES);
    stormServers.set(servers, servers);
    return servers;
  },
};

export const bench: Bench = {
  name: "storm",
  operation: `power-on to address, name and boot script: ${MACHINES} machines of three interfaces at once`,
  rounds: 1,
  isOnce: true, // a machine that has booted once is known
  packages: [],
  contenders: [ours],
  load: (server) => load(stormServers.get(server)!),
};

async function load(servers: StormServers): Promise<Sample> {
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
  const steps = new StepLog();
  const transactions = await servers.transactions();
  using progress = new ProgressMonitor(servers.processes, steps);
  const report = await powerOn(config, (step) => steps.add(step));
  const used = progress.used();
  const counters = await servers.counters();
  for (const line of counters.reportLines) console.log(`  ${line}`);
  return figuresOf({
    report,
    steps,
    used,
    counters,
    transactions: (await servers.transactions()) - transactions,
    leases: await servers.leases(),
    memory: servers.memory(),
  });
}

/** Raises the limit of open files, because this process has the sockets of all machines. Without root the limit stays as it is. */
async function raiseFileLimit(files: number): Promise<void> {
  await promisify(execFile)("prlimit", ["--pid", String(process.pid), `--nofile=${files}:${files}`]).catch(() => {});
}
