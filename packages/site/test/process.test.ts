import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openLog, readTail, type LogLine } from "../src/process/logfile.ts";
import { GivenUp, startProcess, type Supervised } from "../src/process/process.ts";

const dir = mkdtempSync(join(tmpdir(), "firstlight-process-"));
after(() => rmSync(dir, { recursive: true }));

/** A daemon as its supervisor sees one: it tells that it is ready, and stops on SIGTERM. */
const TOY = `
const daemon = "toy";
const endpoints = { udp: "127.0.0.1:1" };
process.on("SIGTERM", () => { console.log(JSON.stringify({ level: "info", msg: "bye" })); process.exit(0); });
process.on("disconnect", () => process.exit(0));
setInterval(() => {}, 1000);
process.send({ firstlight: "ready", daemon, endpoints, readiness: { ready: true } });
`;

function start(name: string, program: string): Supervised & { rests: string[]; heard: LogLine[]; file: string } {
  const script = join(dir, `${name}.mjs`);
  writeFileSync(script, program);
  const rests: string[] = [];
  const heard: LogLine[] = [];
  const file = join(dir, "log", `${name}.log`);
  const log = openLog(file, (line) => heard.push(line));
  const child = startProcess({ name, args: [script], env: {}, log, onRest: (because) => rests.push(because) });
  return Object.assign(Object.create(child) as Supervised, { rests, heard, file });
}

test("a daemon comes up, is killed, comes back, and stops when asked", async () => {
  const toy = start("toy", TOY);
  await toy.ready(20_000);
  assert.deepEqual(toy.endpoints(), { udp: "127.0.0.1:1" });
  const first = toy.pid!;
  process.kill(first, "SIGKILL");
  while (toy.readiness().ready) await new Promise((resolve) => setTimeout(resolve, 5));
  await toy.ready(20_000);
  assert.notEqual(toy.pid, first);
  assert.deepEqual(toy.rests, ["died with SIGKILL"]);
  await toy.stop();
  assert.equal(toy.readiness().ready, false);
  assert.ok(
    toy.heard.some(({ text }) => text === "bye"),
    "its last line is in the log",
  );
});

test("a daemon that refuses its configuration is given up with the line that says why", async () => {
  const toy = start(
    "faulty",
    `console.error("site.yaml:3: dhcpd.listen: missing; want a list"); process.exitCode = 2;`,
  );
  await assert.rejects(
    toy.ready(20_000),
    (error) => error instanceof GivenUp && error.message === "faulty: it cannot run as it is configured",
  );
  assert.equal(
    toy.heard.find(({ level }) => level === "warn")?.text,
    "site.yaml:3: dhcpd.listen: missing; want a list",
  );
  await toy.stop();
});

test("the tail of a log reads like sentences, whatever is in the file", () => {
  const file = join(dir, "tail.log");
  const error = { message: "no lease", cause: { message: "timeout" } };
  writeFileSync(
    file,
    `${JSON.stringify({ level: "fatal", daemon: "dhcpd", msg: "could not run", error, port: 67 })}\nSegmentation fault\n`,
  );
  assert.deepEqual(readTail(file), ["could not run · no lease: timeout · port=67", "Segmentation fault"]);
  assert.deepEqual(readTail(join(dir, "none.log")), []);
});
