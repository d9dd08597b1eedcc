import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Sample } from "../harness/contract.ts";
import { NODE } from "../harness/firstlight.ts";

/** An address at which nothing listens. */
const NO_DATABASE = "postgres://nobody@127.0.0.1:9/none";

/** What the child process reports: rows of its replica, seconds until the replica was current, and further figures by name. */
interface Loaded extends Readonly<Record<string, number>> {
  readonly rows: number;
  readonly seconds: number;
}

/** Loads a replica from PostgreSQL, in a process of its own: time until it is current, and the memory of the process. */
export async function measureLoad(url: string, folder: string): Promise<Sample> {
  await rm(join(folder, "replica"), { force: true }); // of an earlier run
  return sampleOf("from PostgreSQL", await run([url, join(folder, "replica")]));
}

/** The same from the snapshot on disk, with a database that cannot be reached. */
export async function measureRestore(folder: string): Promise<Sample> {
  return sampleOf("from its snapshot", await run([NO_DATABASE, join(folder, "replica")]));
}

/**
 * The replica of one daemon, with its kinds and indexes: from PostgreSQL, then from its snapshot, each in a process of its own. The
 * second is the sample: its memory varies less, since it makes less garbage.
 */
export async function measureHolding(url: string, folder: string, daemon: string): Promise<Sample> {
  const snapshotFile = join(folder, `replica-${daemon}`);
  await rm(snapshotFile, { force: true });
  sampleOf(`of ${daemon} from PostgreSQL`, await run([url, snapshotFile, daemon]));
  return sampleOf(`of ${daemon} from its snapshot`, await run([NO_DATABASE, snapshotFile, daemon]));
}

function sampleOf(source: string, { rows, ...figures }: Loaded): Sample {
  const texts = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(value < 10 ? 2 : 0)}`);
  console.log(`${rows} rows ${source}: ${texts.join(", ")}`);
  return { operations: rows, seconds: figures.seconds, failed: 0, extra: figures };
}

async function run(args: readonly string[]): Promise<Loaded> {
  const child = spawn(NODE, ["--expose-gc", join(import.meta.dirname, "replica-process.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let last = "";
  for await (const line of createInterface({ input: child.stdout })) last = line;
  await ended;
  return JSON.parse(last) as Loaded;
}
