/** Ours as it runs in production: one process per daemon from a site's file, on a real and fully durable PostgreSQL. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DAEMON_NAMES, openCa } from "@firstlight/site";
import { startPostgres } from "@firstlight/site/postgres";
import { stringify } from "yaml";
import type { Place } from "./contract.ts";
import { endWithUs, pin, type Pinned, runPinned, startPinned } from "./process.ts";

const SITE = "bench";
const ROOT = resolve(import.meta.dirname, "../..");
export const NODE = join(ROOT, "node_modules/.bin/node");
const FIRSTLIGHT = join(ROOT, "packages/site/src/main.ts");

export interface Database extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** An embedded PostgreSQL on the contender's core: fsync, synchronous_commit and full_page_writes on. */
export async function startDatabase({ folder, core }: Place): Promise<Database> {
  await chmod(folder, 0o711); // an unprivileged user must be able to pass
  const server = await startPostgres({ dir: join(folder, "pg") });
  const watched = endWithUs(server.pid); // it has a session of its own
  await pin(core, server.pid);
  return {
    url: server.url,
    pid: server.pid,
    async [Symbol.asyncDispose]() {
      await server.stop();
      watched.forget();
    },
  };
}

/** Writes the site's file: `sections` over a state folder of its own, with every daemon's certificate, and the database. */
export async function writeSite(
  { folder }: Place,
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

/** Brings the database of a site's file to its schema. */
export async function migrate({ core }: Place, siteFile: string): Promise<void> {
  const { code, stderr } = await runPinned(core, NODE, [FIRSTLIGHT, "migrate", "--config", siteFile]);
  if (code !== 0) throw new Error(`migrate: ${stderr.trim().slice(-600)}`);
}

/** Starts `firstlight NAME --config FILE`; resolves once its `/ready` at `health` says so. `flags` are node's own. */
export async function startDaemon(
  name: string,
  { folder, core, profiles }: Place,
  siteFile: string,
  health: string,
  flags: readonly string[] = [],
): Promise<Pinned> {
  const profiling =
    profiles === undefined ? [] : ["--cpu-prof", "--cpu-prof-interval=500", `--cpu-prof-dir=${join(profiles, name)}`];
  const daemon = startPinned(name, NODE, [...profiling, ...flags, FIRSTLIGHT, name, "--config", siteFile], {
    core,
    folder,
  });
  try {
    await ready(daemon, `http://${health}/ready`);
    return daemon;
  } catch (fault) {
    await daemon.stop();
    throw fault;
  }
}

async function ready(daemon: Pinned, url: string): Promise<void> {
  const until = performance.now() + 60_000;
  let said = "nothing";
  while (performance.now() < until) {
    if (daemon.child.exitCode !== null) break;
    try {
      const response = await fetch(url);
      if (response.ok) return;
      said = await response.text();
    } catch {
      // not listening yet
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`not ready (${said}): ${daemon.lines.slice(-6).join(" | ")}`);
}
