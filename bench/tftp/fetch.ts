import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Placement } from "../harness/contract.ts";
import { FILE, PORT } from "./content.ts";

/** A load of parallel reads. */
export interface FetchOptions {
  /** TFTP options of the request, by name. */
  readonly options: Readonly<Record<string, number>>;
  /** The content that each client must receive. */
  readonly content: Uint8Array;
  /** How many clients run at a time. */
  readonly clients: number;
  /** No client starts after this time. */
  readonly seconds: number;
}

/** The result of a load. */
export interface FetchResult {
  readonly files: number;
  readonly failed: number;
  /** Time until the last client had its file. */
  readonly seconds: number;
}

const CLIENT_MS = 30_000;
const ATTEMPTS = 50;

/** Runs `clients` loops, each of one atftp after another. The first file of each loop is compared with `content`; that time does not count. */
export async function fetchAll(placement: Placement, load: FetchOptions): Promise<FetchResult> {
  const folder = join(placement.folder, "received");
  mkdirSync(folder, { recursive: true });
  const paths = Array.from({ length: load.clients }, (_, n) => join(folder, String(n)));
  const from = performance.now();
  const until = from + load.seconds * 1000;
  const fetched = await Promise.all(paths.map((file) => fetchLoop(file, until, placement.loadCore, load.options)));
  const seconds = (performance.now() - from) / 1000;
  const corrupt = paths.filter((file) => !isSame(file, load.content)).length;
  rmSync(folder, { recursive: true });
  const files = fetched.reduce((sum, { files }) => sum + files, 0) - corrupt;
  return { files, seconds, failed: fetched.reduce((sum, { failed }) => sum + failed, 0) + corrupt };
}

async function fetchLoop(file: string, until: number, core: number, options: FetchOptions["options"]) {
  let [files, failed] = [0, 0];
  while (performance.now() < until) {
    if (await fetchOne(files === 0 ? file : "/dev/null", core, options)) files++;
    else failed++;
  }
  return { files, failed };
}

/** Resolves once the server sends the file. Throws after five seconds without it. */
export async function untilServing({ loadCore }: Placement): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await fetchOne("/dev/null", loadCore, { blksize: 1468 })) return;
    await sleep(100);
  }
  throw new Error("the server sends no file");
}

/** One read by atftp. Returns whether it exited with 0. */
async function fetchOne(to: string, core: number, options: FetchOptions["options"]): Promise<boolean> {
  const optionArgs = Object.entries(options).flatMap(([name, value]) => ["--option", `${name} ${value}`]);
  const command = ["-c", `${core}`, "atftp", ...optionArgs, "-g", "-r", FILE, "-l", to, "127.0.0.1", `${PORT}`];
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
