import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const dir = mkdtempSync(join(tmpdir(), "firstlight-run-"));
after(() => rmSync(dir, { recursive: true }));
const main = join(import.meta.dirname, "toy", "main.ts");

interface Toy {
  readonly child: ChildProcess;
  /** Its log lines so far. */
  readonly log: Record<string, any>[];
  readonly stderr: () => string;
  readonly exit: Promise<number | string>;
  logged(message: string): Promise<Record<string, any>>;
}

function start(env: Record<string, string> = {}, args: readonly string[] = ["-"]): Toy {
  const child = fork(main, [...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const log: Record<string, any>[] = [];
  const waiting: (() => void)[] = [];
  let rest = "";
  let stderr = "";
  child.stderr?.on("data", (chunk) => (stderr += String(chunk)));
  child.stdout?.on("data", (chunk) => {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) log.push(line.startsWith("{") ? JSON.parse(line) : { msg: line });
    for (const wake of waiting.splice(0)) wake();
  });
  // Not `close`: it is not emitted after a disconnect() by this process.
  const exit = Promise.all([once(child, "exit"), once(child.stdout ?? child, "end")]).then(
    ([[code, signal]]) => code ?? signal,
  );
  const logged = async (message: string): Promise<Record<string, any>> => {
    for (;;) {
      const line = log.find(({ msg }) => msg === message);
      if (line !== undefined) return line;
      await Promise.race([
        new Promise<void>((wake) => waiting.push(wake)),
        exit.then(() => assert.fail(`the daemon exited before it logged "${message}"`)),
      ]);
    }
  };
  return { child, log, stderr: () => stderr, exit, logged };
}

const messages = ({ log }: Toy): unknown[] => log.map(({ msg }) => msg);

test("a daemon reports its endpoints to its supervisor, drains on SIGTERM and exits 0", async () => {
  const toy = start();
  const [report] = await once(toy.child, "message");
  assert.deepEqual(report, {
    firstlight: "ready",
    daemon: "toy",
    endpoints: { toy: "toy", shared: "process" },
    readiness: { ready: true },
  });
  toy.child.kill("SIGTERM");
  assert.equal(await toy.exit, 0);
  assert.deepEqual(messages(toy), ["started", "stopping", "draining", "all closed"]);
  assert.equal(toy.log[1]?.["because"], "SIGTERM");
});

test("a daemon stops when its supervisor has exited", async () => {
  const toy = start();
  await toy.logged("started");
  toy.child.disconnect();
  assert.equal(await toy.exit, 0);
  assert.equal((await toy.logged("stopping"))["because"], "supervisor is gone");
});

test("a second signal ends the daemon at once with the signal's exit code", async () => {
  const toy = start({ FIRSTLIGHT_TOY__DRAIN: "hang" });
  await toy.logged("started");
  toy.child.kill("SIGTERM");
  await toy.logged("draining");
  toy.child.kill("SIGINT");
  assert.equal(await toy.exit, 130);
});

test("a failed drain is logged and the daemon still stops", async () => {
  const toy = start({ FIRSTLIGHT_TOY__DRAIN: "fail" });
  await toy.logged("started");
  toy.child.kill("SIGINT");
  assert.equal(await toy.exit, 0);
  assert.deepEqual(messages(toy), ["started", "stopping", "draining", "drain failed", "all closed"]);
});

test("a drain timeout cuts off work and is logged as information", async () => {
  const toy = start({ FIRSTLIGHT_TOY__DRAIN: "hang", FIRSTLIGHT_SITE__DRAIN_SECONDS: "0" });
  await toy.logged("started");
  toy.child.kill("SIGTERM");
  assert.equal(await toy.exit, 0);
  assert.equal((await toy.logged("drain timed out; unfinished work is cut off"))["level"], "info");
  assert.ok(toy.log.every(({ level }) => level === "info"));
});

test("the last log lines arrive in order on a slow output", async () => {
  const toy = start({ FIRSTLIGHT_TOY__DRAIN: "busy", UV_THREADPOOL_SIZE: "1" });
  await toy.logged("started");
  toy.child.kill("SIGTERM");
  assert.equal(await toy.exit, 0);
  assert.deepEqual(messages(toy), ["started", "stopping", "draining", "all closed"]);
});

test("a failed start exits 1 and logs its cause", async () => {
  const toy = start({ FIRSTLIGHT_TOY__START: "fail" });
  assert.equal(await toy.exit, 1);
  const { level, error } = await toy.logged("could not run");
  assert.deepEqual([level, error.message, error.cause.message], ["fatal", "no port to listen on", "EADDRINUSE"]);
});

test("an unhandled rejection is logged and exits 1", async () => {
  const toy = start({ FIRSTLIGHT_TOY__LATER: "reject" });
  assert.equal(await toy.exit, 1);
  assert.equal((await toy.logged("bug: uncaught error"))["error"].message, "nobody awaits me");
});

test("a faulty configuration exits 2 with every fault on stderr", async () => {
  const file = join(dir, "site.yaml");
  writeFileSync(file, "toy: { serverID: x, start: wel }\nsit: {}\n");
  for (const args of [[file], [file, "--check"]]) {
    const toy = start({}, args);
    assert.equal(await toy.exit, 2);
    assert.deepEqual(toy.stderr().replaceAll(`${dir}/`, "").trimEnd().split("\n"), [
      'site.yaml:1: toy.start: is "wel"; want one of well, fail, hang',
      "site.yaml:1: toy.serverID: unknown key; did you mean serverId?",
      "site.yaml:2: sit: unknown section; did you mean site?",
    ]);
    assert.deepEqual(toy.log, []);
  }
});

test("--check prints ok without starting the daemon", async () => {
  const toy = start({}, ["-", "--check"]);
  assert.equal(await toy.exit, 0);
  assert.deepEqual(messages(toy), ["defaults: ok"]);
});
