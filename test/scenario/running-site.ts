import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { connectOperator, type Operator } from "@firstlight/api-client";
import { testDatabase } from "@firstlight/kit/postgres";
import { freePorts } from "./ports.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const MAIN = join(ROOT, "packages/site/src/main.ts");

/** The scenarios read pids from /proc and bind any address of 127.0.0.0/8, as on Linux. */
export const skip = process.platform === "linux" ? false : "needs Linux";

/** A whole site as users run it: `firstlight up` as a process, with its own state folder, ports and database. */
export interface RunningSite extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly dhcpPort: number;
  /** Lines of its standard output and error so far. */
  readonly output: readonly string[];
  /** Exit code of `up`; -1 when a signal killed it. */
  readonly exited: Promise<number>;
  /** Resolves with the first matching line of output, also an earlier one. Rejects with the output when the site ends before. */
  untilLine(pattern: RegExp): Promise<string>;
  /** Process id of a daemon. With `after` it waits for another process than that. */
  pid(daemon: string, after?: number): Promise<number>;
  /** The lines of a daemon's log. */
  log(daemon: string): Record<string, unknown>[];
  /** A client of the API with the operator's certificate. */
  operator(): Operator;
  /** Stops the site. Resolves with the exit code of `up`. */
  stop(): Promise<number>;
}

/** Starts `firstlight up ARGS`. `settings` are `FIRSTLIGHT_…` variables without the prefix. The site stops when `signal` aborts. */
export async function startSite(
  signal: AbortSignal,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningSite> {
  await using parts = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), "firstlight-scenario-"));
  parts.defer(() => rmSync(dir, { recursive: true, force: true }));
  const database = parts.use(await testDatabase());
  const ports = await freePorts(10);
  const env = { ...process.env, ...prefixed({ ...addresses(ports), ...settings }), DATABASE_URL: database.url };
  const child = spawn(process.execPath, [MAIN, "up", "--state", dir, ...args], {
    env,
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      output.push(line);
      for (const wake of listeners) wake();
    });
  }
  const exited = new Promise<number>((settle) => child.once("close", (code) => settle(code ?? -1)));
  parts.defer(async () => void (await stop(child, exited)));
  signal.addEventListener("abort", () => void stop(child, exited));
  const owned = parts.move();
  return {
    databaseUrl: database.url,
    dhcpPort: ports[2]!,
    output,
    exited,
    untilLine: (pattern) => untilLine(pattern, output, listeners, exited),
    pid: (daemon, after) => pidOf(child.pid!, daemon, after),
    log: (daemon) => logOf(join(dir, "log", `${daemon}.log`)),
    operator: () => operatorOf(join(dir, "operator", "context.yaml")),
    stop: () => stop(child, exited),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The settings of every port of the embedded site. */
function addresses(ports: readonly number[]): Record<string, string> {
  const [api, apiHealth, dhcp, dhcpHealth, tftp, tftpHealth, http, httpHealth, dns, dnsHealth] = ports.map(
    (port) => `127.0.0.1:${port}`,
  ) as [string, string, string, string, string, string, string, string, string, string];
  return {
    API_ENDPOINT: api,
    API__LISTEN: api,
    API__HEALTH: apiHealth,
    DHCPD__LISTEN__0__ADDRESS: dhcp,
    DHCPD__BOOT_URL: `http://${http}`,
    DHCPD__HEALTH: dhcpHealth,
    TFTPD__LISTEN: tftp,
    TFTPD__HEALTH: tftpHealth,
    PXE_HTTP__LISTEN: http,
    PXE_HTTP__BASE_URL: `http://${http}`,
    PXE_HTTP__HEALTH: httpHealth,
    DNSD__LISTEN__0: dns,
    DNSD__HEALTH: dnsHealth,
    RACK__SERVERS__DHCP: dhcp,
    RACK__SERVERS__TFTP_PORT: String(ports[4]),
    RACK__SERVERS__DNS: dns,
  };
}

const prefixed = (settings: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [`FIRSTLIGHT_${name}`, value]));

async function untilLine(
  pattern: RegExp,
  output: readonly string[],
  listeners: Set<() => void>,
  exited: Promise<number>,
): Promise<string> {
  const { promise, resolve: found, reject } = Promise.withResolvers<string>();
  let at = 0;
  const check = (): void => {
    while (at < output.length) {
      const line = output[at++]!;
      if (pattern.test(line)) found(line);
    }
  };
  listeners.add(check);
  check();
  void exited.then((code) => reject(new Error(`up exited with ${code} before ${pattern}:\n${output.join("\n")}`)));
  return promise.finally(() => listeners.delete(check));
}

/** Sends SIGTERM, as a service manager does, and SIGKILL after 15 s. The daemons end with `up`. */
async function stop(child: ChildProcess, exited: Promise<number>): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  return exited.finally(() => clearTimeout(timer));
}

/** Searches the child processes of `parent`, because `up` prints no process ids. */
async function pidOf(parent: number, daemon: string, after = 0): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry) || Number(entry) === after) continue;
      if (parentOf(entry) === parent && runs(entry, daemon)) return Number(entry);
    }
    await sleep(10);
  }
  throw new Error(`no ${daemon} below ${parent}`);
}

/** The fourth field of stat, after the name in parentheses (proc(5)); 0 for a zombie. */
function parentOf(pid: string): number {
  const [state, parent] = read(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ");
  return state === "Z" ? 0 : Number(parent);
}

/** Whether the process is this daemon, by its title or by its command line. */
function runs(pid: string, daemon: string): boolean {
  const words = read(`/proc/${pid}/cmdline`).split(/[\0 ]/);
  return words[0] === "firstlight" ? words[1] === daemon : words[words.indexOf(MAIN) + 1] === daemon;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // it has ended
  }
}

function logOf(file: string): Record<string, unknown>[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<string, unknown>];
    } catch {
      return []; // an incomplete line of a killed process
    }
  });
}

/** Connects with the operator's context that `up` has written as `key: value` lines. */
function operatorOf(file: string): Operator {
  const lines = readFileSync(file, "utf8").matchAll(/^(\w+): (.*)$/gm);
  const {
    address = "",
    site = "",
    ca = "",
    cert = "",
    key = "",
  } = Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]));
  const pem = (name: string): Buffer => readFileSync(resolve(dirname(file), name));
  return connectOperator({ address, site, ca: pem(ca), cert: pem(cert), key: pem(key) });
}
