import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Place } from "../harness/contract.ts";
import { FILE, PORT } from "./content.ts";

export interface Wanted {
  readonly options: Readonly<Record<string, number>>;
  /** What each of them has to get. */
  readonly content: Uint8Array;
  /** How many at a time. */
  readonly clients: number;
  /** No client starts after that. */
  readonly seconds: number;
}

export interface Fetched {
  readonly files: number;
  readonly failed: number;
  /** Until the last one had its file. */
  readonly seconds: number;
}

const CLIENT_MS = 30_000;
const ATTEMPTS = 50;

/** `clients` lanes of one atftp after another. What the first of each lane got is compared, outside of the time. */
export async function fetchAll(place: Place, wanted: Wanted): Promise<Fetched> {
  const folder = join(place.folder, "got");
  mkdirSync(folder, { recursive: true });
  const lanes = Array.from({ length: wanted.clients }, (_, n) => join(folder, String(n)));
  const from = performance.now();
  const until = from + wanted.seconds * 1000;
  const fetched = await Promise.all(lanes.map((file) => lane(file, until, place.loadCore, wanted.options)));
  const seconds = (performance.now() - from) / 1000;
  const wrong = lanes.filter((file) => !isSame(file, wanted.content)).length;
  rmSync(folder, { recursive: true });
  const files = fetched.reduce((sum, { files }) => sum + files, 0) - wrong;
  return { files, seconds, failed: fetched.reduce((sum, { failed }) => sum + failed, 0) + wrong };
}

async function lane(file: string, until: number, core: number, options: Wanted["options"]) {
  let [files, failed] = [0, 0];
  while (performance.now() < until) {
    if (await fetchOne(files === 0 ? file : "/dev/null", core, options)) files++;
    else failed++;
  }
  return { files, failed };
}

/** Once the file can be had. */
export async function answers({ loadCore }: Place): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await fetchOne("/dev/null", loadCore, { blksize: 1468 })) return;
    await sleep(100);
  }
  throw new Error("no file from it");
}

/** One read by atftp; whether it says that it worked. */
async function fetchOne(to: string, core: number, options: Wanted["options"]): Promise<boolean> {
  const asked = Object.entries(options).flatMap(([name, value]) => ["--option", `${name} ${value}`]);
  const command = ["-c", `${core}`, "atftp", ...asked, "-g", "-r", FILE, "-l", to, "127.0.0.1", `${PORT}`];
  const child = spawn("taskset", command, { stdio: "ignore", timeout: CLIENT_MS, killSignal: "SIGKILL" });
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0;
}

function isSame(file: string, content: Uint8Array): boolean {
  try {
    return readFileSync(file).equals(content);
  } catch {
    return false;
  }
}
