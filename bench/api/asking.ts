import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Api, type BootEvent, createApi, openChannel } from "@firstlight/api-client";
import type { Sample } from "../harness/contract.ts";
import type { Promised } from "./promised.ts";

const SECONDS = 5;
const DECISIONS_AT_ONCE = 32;
const BATCHES_AT_ONCE = 4;
const BATCH = 100;

export interface Asker extends AsyncDisposable {
  readonly api: Api;
  readonly hosts: readonly Promised[];
}

/** A channel as pxe-http has it: its own certificate, one connection. */
export function openAsker(address: string, trust: string, hosts: readonly Promised[]): Asker {
  const pem = (name: string): Buffer => readFileSync(join(trust, name));
  const credentials = { ca: pem("ca.crt"), cert: pem("pxe-http.crt"), key: pem("pxe-http.key") };
  const channel = openChannel({ address, site: "bench", credentials });
  return { api: createApi(channel), hosts, [Symbol.asyncDispose]: async () => channel.close() };
}

/** What each host shall boot, over and over. */
export function deciding({ api, hosts }: Asker): Promise<Sample> {
  return during(DECISIONS_AT_ONCE, 1, async (n) => {
    const { mac, address } = hosts[n % hosts.length]!;
    await api.decide({ mac, address, arch: "x86_64" });
  });
}

/** Batches as the spool sends them: acknowledged when they are on disk. */
export function reporting({ api, hosts }: Asker): Promise<Sample> {
  return during(BATCHES_AT_ONCE, BATCH, async (n) => {
    const events = Array.from({ length: BATCH }, (_, at): BootEvent => {
      const { mac, address } = hosts[(n * BATCH + at) % hosts.length]!;
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

/** Calls, so many at a time, for some seconds; each stands for `each` operations. */
async function during(atOnce: number, each: number, call: (n: number) => Promise<void>): Promise<Sample> {
  const began = performance.now();
  const took: number[] = [];
  let [asked, failed] = [0, 0];
  const worker = async (): Promise<void> => {
    while (performance.now() - began < SECONDS * 1000) {
      const from = performance.now();
      try {
        await call(asked++);
        took.push(performance.now() - from);
      } catch {
        failed += each;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const seconds = (performance.now() - began) / 1000;
  took.sort((a, b) => a - b);
  const percentile = (share: number): number => took[Math.ceil(took.length * share) - 1] ?? 0;
  return {
    operations: took.length * each,
    seconds,
    failed,
    extra: { p50Ms: percentile(0.5), p99Ms: percentile(0.99) },
  };
}
