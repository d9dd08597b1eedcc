import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Sample } from "../harness/contract.ts";
import { NODE } from "../harness/firstlight.ts";

/** What the child says when its replica is current. */
interface Loaded {
  readonly rows: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly heapMiB: number;
  readonly rssMiB: number;
  readonly peakMiB: number;
}

/** A replica from nothing, in a process of its own: time until it is current, and its memory with all garbage taken out. */
export async function loading(url: string, folder: string): Promise<Sample> {
  return sampleOf(await run([url, join(folder, "replica")]));
}

/** The same from its snapshot on disk, with nobody at the database's address. */
export async function restoring(folder: string): Promise<Sample> {
  return sampleOf(await run(["postgres://nobody@127.0.0.1:9/none", join(folder, "replica")]));
}

function sampleOf({ rows, seconds, cpuSeconds, heapMiB, rssMiB, peakMiB }: Loaded): Sample {
  return { operations: rows, seconds, failed: 0, extra: { seconds, cpuSeconds, heapMiB, rssMiB, peakMiB } };
}

async function run(args: readonly string[]): Promise<Loaded> {
  const child = spawn(NODE, ["--expose-gc", join(import.meta.dirname, "replica.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let last = "";
  for await (const line of createInterface({ input: child.stdout })) last = line;
  await ended;
  return JSON.parse(last) as Loaded;
}
