import { join } from "node:path";
import type { Lease, LeaseRequest, Position } from "@firstlight/ipam";
import { createReplica, PgSource } from "@firstlight/ipam/replica";
import { createStore, startSequencer } from "@firstlight/ipam/store";
import { systemClock } from "@firstlight/service";
import type { Sample } from "../harness/contract.ts";

const BATCH = 500;
const TOTAL = 50_000;

/**
 * Changes per second that a replica applies while they are written and sequenced, and changes per second that a replica applies
 * when it catches up from its snapshot.
 */
export async function measureChanges(url: string, folder: string): Promise<Sample> {
  const snapshotFile = join(folder, "catch-up-snapshot");
  await using store = createStore({ url, name: "bench", poolSize: 3 });
  await using source = new PgSource({ url, name: "bench" });
  const first = await createReplica(source, systemClock, { startMs: 120_000, snapshotFile });
  const leases: Lease[] = [];
  for (const lease of first.replica.leases()) {
    if (leases.length < TOTAL) leases.push(lease);
    else break;
  }
  await first.follower.stop();
  let [applied, lagMs] = [0, 0];
  let sample: Sample;
  {
    await using _ = startSequencer({ url, name: "bench" });
    await using following = await createReplica(source, systemClock, { startMs: 120_000 });
    const done = Promise.withResolvers<void>();
    using _following = following.replica.follow((event) => {
      if (event.is !== "changes") return;
      applied += event.changes.length;
      lagMs = Math.max(lagMs, following.replica.databaseNow() - event.changes.at(-1)!.at);
      if (applied >= leases.length) done.resolve();
    });
    const began = performance.now();
    for (let at = 0; at < leases.length; at += BATCH)
      await store.commit(leases.slice(at, at + BATCH).map(renewal), "bench");
    const writtenSeconds = (performance.now() - began) / 1000;
    await Promise.race([done.promise, new Promise((resolve) => setTimeout(resolve, 20_000))]);
    const seconds = (performance.now() - began) / 1000;
    sample = {
      operations: applied,
      seconds,
      failed: Math.max(0, leases.length - applied),
      extra: { writtenSeconds, mostLagMs: lagMs, behindMs: (seconds - writtenSeconds) * 1000 },
    };
  }
  return { ...sample, extra: { ...sample.extra, ...(await measureCatchUp(source, snapshotFile)) } };
}

/** Opens a replica from its snapshot and measures how it applies the changes since then. */
async function measureCatchUp(source: PgSource, snapshotFile: string): Promise<Record<string, number>> {
  let [from, began, cpu] = [0, 0, process.cpuUsage()];
  const info = (fields: object, message: string): void => {
    if (message === "snapshot loaded") {
      [from, began, cpu] = [(fields as Position).position, performance.now(), process.cpuUsage()];
    }
  };
  const log = { info, warn: () => {} };
  await using following = await createReplica(source, systemClock, { startMs: 120_000, snapshotFile, log });
  const changes = following.replica.at.position - from;
  const { user, system } = process.cpuUsage(cpu);
  return {
    caughtUpPerSecond: (changes / (performance.now() - began)) * 1000,
    caughtUpCpuMicros: (user + system) / changes,
  };
}

function renewal({ segment, identity, address, relay }: Lease): LeaseRequest {
  return { do: "bind", segment, identity, address, leaseSeconds: 3600, ...(relay && { relay }) };
}
