/**
 * DHCP exchanges (DISCOVER, OFFER, REQUEST, ACK) per second. perfdhcp plays a relay whose clients are all new. The result is the highest
 * rate at which at most one exchange in a hundred fails. Ours, Kea on PostgreSQL and ISC dhcpd write each lease to disk before its
 * ACK; Kea with memfile does not.
 */
import type { Bench, Placement, Sample, RunningServer } from "./harness/contract.ts";
import { cpuSeconds } from "./harness/proc.ts";
import { createLink, removeLink } from "./dhcp/link.ts";
import { ours } from "./dhcp/ours.ts";
import { dnsmasq, iscDhcpd, keaMemfile, keaPostgresql } from "./dhcp/peers.ts";
import { perfdhcp } from "./dhcp/perfdhcp.ts";
import { highestRate } from "./dhcp/search.ts";

const ATTEMPT_SECONDS = 4;
const WARMUP_SECONDS = 8;
const MAX_FAILED_SHARE = 0.01;
/** The rate (exchanges per second) at which the search of the first round begins. Later rounds begin near the last result. */
const FIRST_RATES: Readonly<Record<string, number>> = {
  firstlight: 1500,
  "kea-memfile": 1500,
  "kea-postgresql": 400,
  dnsmasq: 75,
  "isc-dhcpd": 150,
};

const lastRates = new Map<string, number>();
let series = 0;

async function load(
  server: RunningServer,
  { name }: { readonly name: string },
  { loadCore }: Placement,
): Promise<Sample> {
  let lastFailed = 0;
  const start = (lastRates.get(name) ?? FIRST_RATES[name] ?? 500) / (lastRates.has(name) ? 1.3 : 1);
  await perfdhcp(loadCore, start * 0.8, WARMUP_SECONDS, series++); // warm-up: a daemon runs for long, so its first seconds do not count
  const sample = await highestRate<Sample>({
    start,
    factor: 1.3,
    maxRate: 20_000,
    async attempt(rate) {
      const before = cpuSeconds(server.pids());
      const run = await perfdhcp(loadCore, rate, ATTEMPT_SECONDS, series++);
      const cpu = cpuSeconds(server.pids()) - before;
      const failed = run.discovers - run.acks;
      lastFailed = failed;
      // Where the load generator itself did not reach the rate, the attempt says nothing about the server.
      if (run.acks === 0 || failed > run.discovers * MAX_FAILED_SHARE || run.discovers < rate * ATTEMPT_SECONDS * 0.9)
        return undefined;
      const extra = { cpuSeconds: cpu, offerMs: run.offerMs, ackMs: run.ackMs };
      return { operations: run.acks, seconds: ATTEMPT_SECONDS, failed, extra };
    },
  });
  if (!sample) throw new Error(`no rate could be held; ${lastFailed} exchanges failed in the last attempt`);
  lastRates.set(name, sample.operations / sample.seconds);
  return sample;
}

const contenders = [ours, keaMemfile, keaPostgresql, dnsmasq, iscDhcpd];
let link: Promise<void> | undefined; // created before the first contender

export const bench: Bench = {
  name: "dhcp",
  operation: "DISCOVER to ACK of a new client, behind a relay",
  rounds: 3,
  packages: ["kea-admin", "iproute2"],
  contenders: contenders.map((contender) => ({
    ...contender,
    async start(placement) {
      await (link ??= createLink());
      return contender.start(placement);
    },
  })),
  load,
};

process.once("exit", () => link && removeLink());
