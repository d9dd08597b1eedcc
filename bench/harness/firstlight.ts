/** Starts Firstlight as in production: one process per daemon from a site's file, on a fully durable PostgreSQL. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DAEMON_NAMES, openCa } from "@firstlight/site";
import { startPostgres } from "@firstlight/site/postgres";
import { stringify } from "yaml";
import type { Placement } from "./contract.ts";
import { killOnExit, pin, type PinnedProcess, runPinned, startPinned } from "./process.ts";

const SITE = "bench";
const ROOT = resolve(import.meta.dirname, "../..");
export const NODE = join(ROOT, "node_modules/.bin/node");
const FIRSTLIGHT = join(ROOT, "packages/site/src/main.ts");

/** A running PostgreSQL. */
export interface Database extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** An embedded PostgreSQL on the contender's core: fsync, synchronous_commit and full_page_writes on. */
export async function startDatabase({ folder, core }: Placement): Promise<Database> {
  await chmod(folder, 0o711); // PostgreSQL's unprivileged user must be able to enter it
  const server = await startPostgres({ dir: join(folder, "pg") });
  const guard = killOnExit(server.pid); // it runs in a session of its own
  await pin(core, server.pid);
  return {
    url: server.url,
    pid: server.pid,
    async [Symbol.asyncDispose]() {
      await server.stop();
      guard.release();
    },
  };
}

/** Writes the site's file with these sections, and issues every daemon's certificate. Returns the file's path. */
export async function writeSite(
  { folder }: Placement,
  sections: Readonly<Record<string, unknown>>,
  database?: Pick<Database, "url">,
): Promise<string> {
  const stateDir = join(folder, "state");
  await mkdir(stateDir, { recursive: true });
  const ca = await openCa(join(stateDir, "trust"), SITE);
  for (const name of DAEMON_NAMES) await ca.issue({ is: "daemon", name });
  const file = join(folder, "site.yaml");
  const shared = { site: { name: SITE, stateDir }, log: { level: "warn" } };
  await writeFile(file, stringify({ ...shared, ...(database && { database: { url: database.url } }), ...sections }));
  return file;
}

/** Migrates the database of a site's file. */
export async function migrate({ core }: Placement, siteFile: string): Promise<void> {
  const { code, stderr } = await runPinned(core, NODE, [FIRSTLIGHT, "migrate", "--config", siteFile]);
  if (code !== 0) throw new Error(`migrate: ${stderr.trim().slice(-600)}`);
}

/** Starts `firstlight NAME --config FILE`. Resolves once `/ready` at `health` returns 200. `flags` are options of Node. */
export async function startDaemon(
  name: string,
  { folder, core, profiles }: Placement,
  siteFile: string,
  health: string,
  flags: readonly string[] = [],
): Promise<PinnedProcess> {
  const profiling =
    profiles === undefined ? [] : ["--cpu-prof", "--cpu-prof-interval=500", `--cpu-prof-dir=${join(profiles, name)}`];
  const daemon = startPinned(name, NODE, [...profiling, ...flags, FIRSTLIGHT, name, "--config", siteFile], {
    core,
    folder,
  });
  try {
    await untilReady(daemon, `http://${health}/ready`);
    return daemon;
  } catch (fault) {
    await daemon.stop();
    throw fault;
  }
}

async function untilReady(daemon: PinnedProcess, url: string): Promise<void> {
  const until = performance.now() + 60_000;
  let readiness = "no answer";
  while (performance.now() < until) {
    if (daemon.child.exitCode !== null) break;
    try {
      const response = await fetch(url);
      if (response.ok) return;
      readiness = await response.text();
    } catch {
      // not listening yet
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`not ready (${readiness}): ${daemon.lines.slice(-6).join(" | ")}`);
}
