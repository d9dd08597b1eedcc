/** A real API process over mTLS on a real database, and the operator's verbs in front of it. */
import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testTrust } from "@firstlight/kit";
import { testDatabase } from "@firstlight/kit/postgres";
import { Command, CommanderError } from "commander";
import { allCommands } from "../src/commands/all.ts";
import { MAIN } from "../src/folders.ts";
import { migrate } from "../src/migrate.ts";
import { writeContext } from "../src/operator.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface ApiProcess extends AsyncDisposable {
  readonly url: string;
  readonly dir: string;
  /** A verb as the operator `anna` types it, in this process: a start of the binary costs as much as forty of them. */
  cli(...args: string[]): Promise<Said>;
  /** The same as a shell does it: the one binary, with a standard input. */
  shell(args: readonly string[], stdin: string): Promise<Said>;
  /** What it printed; it must have said nothing on standard error, and exited with 0. */
  out(...args: string[]): Promise<string>;
  /** A file in the folder it runs in. */
  write(name: string, text: string): string;
}

/** `ipam` is the section of the site's file, as YAML. */
export async function apiProcess(ipam: string): Promise<ApiProcess> {
  await using parts = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), "firstlight-cli-"));
  parts.defer(() => rmSync(dir, { recursive: true, force: true }));
  const { url } = parts.use(await testDatabase());
  await migrate(url);
  const trust = parts.use(await testTrust());
  await trust.issue("daemon/api");
  await trust.issue("operator/anna");
  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return name;
  };
  const site = `database: { url: "${url}" }\ntrust: { dir: "${trust.dir}" }\nsite: { stateDir: state }\nlog: { level: error }\n`;
  write(
    "site.yaml",
    `${site}api: { listen: "127.0.0.1:0", health: "127.0.0.1:0" }\nipam:\n${ipam.replaceAll(/^/gm, "  ")}\n`,
  );
  const env = { PATH: process.env["PATH"], TZ: "UTC", FIRSTLIGHT_CONTEXT: "operator.yaml", NODE_COMPILE_CACHE: dir };
  const api = fork(MAIN, ["api", "--config", "site.yaml"], {
    cwd: dir,
    env,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  parts.defer(async () => {
    const gone = api.exitCode === null ? once(api, "exit") : undefined;
    api.kill("SIGTERM");
    await gone;
  });
  const address = await ready(api);
  const files = { ca: "ca.crt", cert: "anna.crt", key: "anna.key" };
  const names = Object.entries(files).map(([name, file]) => [name, join(trust.dir, file)] as const);
  writeContext(join(dir, "operator.yaml"), { address, site: "lab", ...(Object.fromEntries(names) as typeof files) });
  const owned = parts.move();
  process.chdir(dir);
  Object.assign(process.env, env, { NO_COLOR: "1" });
  let turn: Promise<unknown> = Promise.resolve();
  const cli: ApiProcess["cli"] = (...args) => {
    const said = turn.then(() => spoken(args));
    turn = said;
    return said;
  };
  return {
    url,
    dir,
    write,
    cli,
    shell: (args, stdin) =>
      new Promise((resolve) => {
        const child = execFile(process.execPath, [MAIN, ...args], { env, cwd: dir }, (error, out, err) =>
          resolve({ code: error === null ? 0 : Number(error.code), out, err }),
        );
        child.stdin!.on("error", () => {}); // it read no more
        child.stdin!.end(stdin);
      }),
    async out(...args) {
      const { code, out, err } = await cli(...args);
      if (code !== 0 || err !== "") throw new Error(`firstlight ${args.join(" ")}: ${code}: ${err}${out}`);
      return out;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What a verb writes and leaves as its exit code. What is no text is the test runner's own. */
async function spoken(args: readonly string[]): Promise<Said> {
  const said = { out: "", err: "" };
  const real = { out: process.stdout.write.bind(process.stdout), err: process.stderr.write.bind(process.stderr) };
  const into =
    (where: "out" | "err"): typeof process.stdout.write =>
    (text: unknown, ...more: []) => {
      if (typeof text !== "string") return real[where](text as string, ...more);
      said[where] += text;
      return true;
    };
  const before = process.exitCode;
  process.exitCode = 0;
  process.stdout.write = into("out");
  process.stderr.write = into("err");
  try {
    const program = new Command("firstlight").exitOverride();
    allCommands(program);
    await program.parseAsync(args, { from: "user" });
    return { code: process.exitCode, ...said };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { code: error.exitCode, ...said };
  } finally {
    process.stdout.write = real.out;
    process.stderr.write = real.err;
    process.exitCode = before;
  }
}

/** Where it listens, once it says so to whoever started it. */
function ready(api: ReturnType<typeof fork>): Promise<string> {
  return new Promise((resolve, reject) => {
    api.on("message", (message: { firstlight?: string; endpoints?: { grpc?: string } }) => {
      if (message.firstlight === "ready") resolve(message.endpoints!.grpc!);
    });
    api.once("exit", (code) => reject(new Error(`the API ended with ${code}`)));
  });
}
