/**
 * Durable DORA per second: perfdhcp plays a relay whose clients nobody has seen before, and the highest rate counts at
 * which no more than one exchange in a hundred fails. What "durable" is differs: ours and Kea on PostgreSQL have each
 * lease on disk before its ACK, ISC dhcpd too, Kea memfile has not.
 */
import type { Bench, Place, Sample, Serving } from "./harness/contract.ts";
import { cpuSeconds } from "./harness/proc.ts";
import { layLink, removeLink } from "./dhcp/link.ts";
import { ours } from "./dhcp/ours.ts";
import { dnsmasq, iscDhcpd, keaMemfile, keaPostgresql } from "./dhcp/peers.ts";
import { perfdhcp } from "./dhcp/perfdhcp.ts";
import { highest } from "./dhcp/search.ts";

const SECONDS = 4;
const WARM_SECONDS = 8;
const MOST_FAILED = 0.01;
/** Where the search begins in the first round; later ones begin near what was found. */
const FIRST: Readonly<Record<string, number>> = {
  firstlight: 1500,
  "kea-memfile": 1500,
  "kea-postgresql": 400,
  dnsmasq: 75,
  "isc-dhcpd": 150,
};

const found = new Map<string, number>();
let series = 0;

async function load(serving: Serving, { name }: { readonly name: string }, { loadCore }: Place): Promise<Sample> {
  let failures = 0;
  const start = (found.get(name) ?? FIRST[name] ?? 500) / (found.has(name) ? 1.3 : 1);
  await perfdhcp(loadCore, start * 0.8, WARM_SECONDS, series++); // a daemon lives long: nobody is measured in its first seconds
  const sample = await highest<Sample>({
    start,
    factor: 1.3,
    most: 20_000,
    async attempt(rate) {
      const before = cpuSeconds(serving.pids());
      const run = await perfdhcp(loadCore, rate, SECONDS, series++);
      const cpu = cpuSeconds(serving.pids()) - before;
      const failed = run.discovers - run.acks;
      failures = failed;
      // A load generator that could not keep its own rate says nothing of the server.
      if (run.acks === 0 || failed > run.discovers * MOST_FAILED || run.discovers < rate * SECONDS * 0.9)
        return undefined;
      const extra = { cpuSeconds: cpu, offerMs: run.offerMs, ackMs: run.ackMs };
      return { operations: run.acks, seconds: SECONDS, failed, extra };
    },
  });
  if (!sample) throw new Error(`no rate was held; ${failures} exchanges failed at the last`);
  found.set(name, sample.operations / sample.seconds);
  return sample;
}

const contenders = [ours, keaMemfile, keaPostgresql, dnsmasq, iscDhcpd];
let link: Promise<void> | undefined;

export const bench: Bench = {
  name: "dhcp",
  operation: "DISCOVER to ACK of a new client, behind a relay",
  rounds: 3,
  packages: ["kea-admin", "iproute2"],
  contenders: contenders.map((contender) => ({
    ...contender,
    async start(place) {
      await (link ??= layLink());
      return contender.start(place);
    },
  })),
  load,
};

process.once("exit", () => link && removeLink());
