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

/** Where pids and ancestors are read, and any address of 127.0.0.0/8 can be bound. */
export const skip = process.platform === "linux" ? false : "needs Linux";

/** A whole site as its users run it: `firstlight up` in a process of its own, with a state folder, ports and a database. */
export interface Live extends AsyncDisposable {
  readonly databaseUrl: string;
  readonly dhcpPort: number;
  readonly output: readonly string[];
  /** Exit code of `up`; -1 when a signal killed it. */
  readonly exited: Promise<number>;
  /** The first line that matches, from the first line on. Rejects with what was seen when the site ends before. */
  seen(pattern: RegExp): Promise<string>;
  /** Pid of a supervised daemon; `after` waits for one other than this. */
  pid(daemon: string, after?: number): Promise<number>;
  /** What a daemon has logged, line by line. */
  log(daemon: string): Record<string, unknown>[];
  operator(): Operator;
  stop(): Promise<number>;
}

/** `args` follow `up`; `settings` are `FIRSTLIGHT_…` variables without the prefix; `signal` is the test's: no site outlives it. */
export async function live(
  signal: AbortSignal,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Live> {
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
  const heard = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      output.push(line);
      for (const wake of heard) wake();
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
    seen: (pattern) => seen(pattern, output, heard, exited),
    pid: (daemon, after) => pidOf(child.pid!, daemon, after),
    log: (daemon) => logOf(join(dir, "log", `${daemon}.log`)),
    operator: () => operatorOf(join(dir, "operator", "context.yaml")),
    stop: () => stop(child, exited),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Every port of the embedded site, as settings. */
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

async function seen(
  pattern: RegExp,
  output: readonly string[],
  heard: Set<() => void>,
  exited: Promise<number>,
): Promise<string> {
  const { promise, resolve: found, reject } = Promise.withResolvers<string>();
  let at = 0;
  const look = (): void => {
    while (at < output.length) {
      const line = output[at++]!;
      if (pattern.test(line)) found(line);
    }
  };
  heard.add(look);
  look();
  void exited.then((code) => reject(new Error(`up ended with ${code} before ${pattern}:\n${output.join("\n")}`)));
  return promise.finally(() => heard.delete(look));
}

/** SIGTERM, as a service manager would; SIGKILL when that takes too long. Its daemons end with it. */
async function stop(child: ChildProcess, exited: Promise<number>): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 15_000);
  return exited.finally(() => clearTimeout(late));
}

/** Looks among the children of `parent`: the site says nothing of pids. */
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

/** Fourth field of stat, behind the name in brackets (proc(5)); a zombie is nobody's child. */
function parentOf(pid: string): number {
  const [state, parent] = read(`/proc/${pid}/stat`).split(") ").at(-1)!.split(" ");
  return state === "Z" ? 0 : Number(parent);
}

/** By its title, or as it was started. */
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
      return []; // what a killed process did not finish
    }
  });
}

/** The operator's context that `up` has written: plain `key: value` lines. */
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
