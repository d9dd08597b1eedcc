import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Api, type BootEvent, createApi, openChannel } from "@firstlight/api-client";
import type { Sample } from "../harness/contract.ts";
import type { LeasedHost } from "./leased-hosts.ts";

const LOAD_SECONDS = 5;
const PARALLEL_DECISIONS = 32;
const PARALLEL_BATCHES = 4;
const EVENTS_PER_BATCH = 100;

/** The API's client of a bench, and the hosts that it asks about. */
export interface BenchClient extends AsyncDisposable {
  readonly api: Api;
  readonly hosts: readonly LeasedHost[];
}

/** Opens a channel like pxe-http's: with pxe-http's certificate, over one connection. */
export function openBenchClient(address: string, trust: string, hosts: readonly LeasedHost[]): BenchClient {
  const pem = (name: string): Buffer => readFileSync(join(trust, name));
  const credentials = { ca: pem("ca.crt"), cert: pem("pxe-http.crt"), key: pem("pxe-http.key") };
  const channel = openChannel({ address, site: "bench", credentials });
  return { api: createApi(channel), hosts, [Symbol.asyncDispose]: async () => channel.close() };
}

/** Asks what each host boots, one host after the other, again and again. */
export function measureDecisions({ api, hosts }: BenchClient): Promise<Sample> {
  return callRepeatedly(PARALLEL_DECISIONS, 1, async (n) => {
    const { mac, address } = hosts[n % hosts.length]!;
    await api.decide({ mac, address, arch: "x86_64" });
  });
}

/** Reports events in batches, as a daemon's spool does. The API acknowledges a batch once it is on disk. */
export function measureReports({ api, hosts }: BenchClient): Promise<Sample> {
  return callRepeatedly(PARALLEL_BATCHES, EVENTS_PER_BATCH, async (n) => {
    const events = Array.from({ length: EVENTS_PER_BATCH }, (_, at): BootEvent => {
      const { mac, address } = hosts[(n * EVENTS_PER_BATCH + at) % hosts.length]!;
      return {
        id: randomUUID(),
        at: Date.now(),
        kind: "pxe.artefact",
        mac,
        address,
        detail: { path: "discovery/x86_64/vmlinuz" },
      };
    });
    await api.report(events);
  });
}

/** Runs `call` in `parallel` loops for `LOAD_SECONDS`. One call is `operationsPerCall` operations. */
async function callRepeatedly(
  parallel: number,
  operationsPerCall: number,
  call: (n: number) => Promise<void>,
): Promise<Sample> {
  const began = performance.now();
  const tookMs: number[] = [];
  let [calls, failed] = [0, 0];
  const worker = async (): Promise<void> => {
    while (performance.now() - began < LOAD_SECONDS * 1000) {
      const from = performance.now();
      try {
        await call(calls++);
        tookMs.push(performance.now() - from);
      } catch {
        failed += operationsPerCall;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  const seconds = (performance.now() - began) / 1000;
  tookMs.sort((a, b) => a - b);
  const percentile = (share: number): number => tookMs[Math.ceil(tookMs.length * share) - 1] ?? 0;
  return {
    operations: tookMs.length * operationsPerCall,
    seconds,
    failed,
    extra: { p50Ms: percentile(0.5), p99Ms: percentile(0.99) },
  };
}
