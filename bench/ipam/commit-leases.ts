import { ipamSchema, type LeaseRequest } from "@firstlight/ipam";
import { createStore, migrateIpam, startSequencer } from "@firstlight/ipam/store";
import { Client } from "pg";
import type { Sample } from "../harness/contract.ts";
import { sampleSessions } from "./session-samples.ts";

const BATCH = 1000;
const WRITERS = 2;
const TOTAL = 100_000;
const MAX_SECONDS = 20;
const FIRST_ADDRESS = 0x0a00_0010;
const FIRST_MAC = 0x02cc_0000_0000;
/** The declaration of the bench's site. */
export const SITE = {
  ipam: ipamSchema.parse({
    domains: [{ name: "bench.internal" }],
    segments: [{ name: "bench", domain: "bench.internal", prefixes: [{ prefix: "10.0.0.0/8" }] }],
  }),
  expectedMachines: [],
};

/** Leases per second on disk, committed as dhcpd commits them: in batches, by several writers, with a running sequencer. */
export async function measureCommits(url: string, kind: "new" | "renew"): Promise<Sample> {
  await migrateIpam(url);
  await using store = createStore({ url, name: "bench", poolSize: WRITERS + 1 });
  const { segments } = await store.declare(SITE, "bench");
  const segment = segments[0]!.id;
  await using sequencer = startSequencer({ url, name: "bench" });
  const sequencedBefore = sequencer.sequenced;
  const client = new Client({ connectionString: url });
  await client.connect();
  const stopSampling = await sampleSessions(client);
  const began = performance.now();
  const cpu = process.cpuUsage();
  let [next, operations, failed] = [0, 0, 0];
  const write = async (): Promise<void> => {
    while (next < TOTAL && performance.now() - began < MAX_SECONDS * 1000) {
      const from = next;
      next += BATCH;
      for (const { is } of await store.commit(batch(segment, from), "bench")) {
        if (is === "bound") operations++;
        else failed++;
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const waits = await stopSampling();
  await client.end();
  if (kind === "renew" && sequencer.sequenced === sequencedBefore) failed++; // the sequencer did nothing
  return { operations, seconds, failed, extra: { ...waits, "this process, us each": (user + system) / operations } };
}

function batch(segment: number, from: number): LeaseRequest[] {
  return Array.from({ length: Math.min(BATCH, TOTAL - from) }, (_, n) => ({
    do: "bind",
    segment,
    identity: FIRST_MAC + from + n,
    address: FIRST_ADDRESS + from + n,
    leaseSeconds: 3600,
    relay: { giaddr: FIRST_ADDRESS - 1, circuitId: Uint8Array.of(0x73, 0x77, 0x70, n & 255) },
  }));
}
