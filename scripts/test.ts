/**
 * `npm test`: every test of the tree that needs no root and no Debian package, each file a process of its own, two at a
 * time (`--concurrency=N`), on one PostgreSQL (DATABASE_URL where given). Other arguments pick files by a part of their path.
 *
 * Bounded in all: a test, a file, the run. A file that leaves something open behind its last test fails by its bound.
 */
import { globSync } from "node:fs";
import { once } from "node:events";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { startTestServer } from "@firstlight/kit/postgres";

const FILES = [
  "packages/*/test/**/*.test.ts",
  "test/*.test.ts",
  "test/{kit,packet,interop,scenario}/**/*.test.ts",
  "bench/test/*.test.ts",
];
const TEST_MS = 120_000;
const FILE_MS = 240_000;
const RUN_MS = 20 * 60_000;
/** Node's closing lines of each file; ours counts them all. */
const COUNT = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

const root = resolve(import.meta.dirname, "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { concurrency: { type: "string", default: "2" } },
});
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => interrupted.abort(new Error(signal)));

async function main(parts: readonly string[]): Promise<number> {
  const files = FILES.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ["**/node_modules/**"] }))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .toSorted();
  if (files.length === 0) {
    console.error(`no test file has ${parts.join(" or ")} in its path`);
    return 2;
  }
  await using stack = new AsyncDisposableStack();
  if (!process.env["DATABASE_URL"] && !process.env["FIRSTLIGHT_TEST_DATABASE_URL"]) {
    const server = stack.adopt(await startTestServer(), (server) => server.stop());
    process.env["FIRSTLIGHT_TEST_DATABASE_URL"] = server.url;
  }
  return await runFiles(files);
}

type Told = { readonly type: string; readonly data: TestData };
interface TestData {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details?: { readonly type?: string; readonly error?: { readonly failureType?: string } };
}

class Tally {
  passed = 0;
  failed = 0;
  readonly #skips = new Map<string, number>();

  /** Counts tests, not suites, and of nested failures only the innermost. */
  count({ type, data }: Told): void {
    if (data.details?.type === "suite") return;
    if (type === "test:pass" && data.skip !== undefined && data.skip !== false) {
      const reason = data.skip === true || data.skip === "" ? `${data.name}: no reason given` : data.skip;
      this.#skips.set(reason, (this.#skips.get(reason) ?? 0) + 1);
    } else if (type === "test:pass") this.passed++;
    else if (type === "test:fail" && data.todo === undefined && data.details?.error?.failureType !== "subtestsFailed")
      this.failed++;
  }

  toString(): string {
    const skipped = [...this.#skips.values()].reduce((sum, n) => sum + n, 0);
    const reasons = [...this.#skips].map(([reason, n]) => `\n  skipped ${n}: ${reason}`);
    return `${this.passed} passed, ${this.failed} failed, ${skipped} skipped${reasons.join("")}`;
  }
}

async function runFiles(files: readonly string[]): Promise<number> {
  const began = performance.now();
  const whole = AbortSignal.any([interrupted.signal, AbortSignal.timeout(RUN_MS)]);
  const reporter = new spec();
  reporter.pipe(process.stdout);
  const tally = new Tally();
  const unsettled: string[] = [];
  const left = files.values();
  const work = async (): Promise<void> => {
    for (const file of left) {
      if (whole.aborted) {
        unsettled.push(`${file} not run`);
        continue;
      }
      const { told, because } = await runFile(file, whole);
      for (const event of told) {
        tally.count(event);
        reporter.write(event);
      }
      if (because !== undefined) unsettled.push(`${file} ${because}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.concurrency) || 1 }, work));
  reporter.end();
  await once(reporter, "end");
  const seconds = Math.round((performance.now() - began) / 1000);
  for (const line of unsettled) console.log(line);
  if (whole.aborted)
    console.log(interrupted.signal.aborted ? "interrupted" : `the run took longer than ${RUN_MS / 60_000} minutes`);
  console.log(`${String(tally)}\n${files.length} files in ${seconds} s`);
  if (interrupted.signal.aborted) return 130;
  return tally.failed > 0 || unsettled.length > 0 ? 1 : 0;
}

/** The events of one file, kept until it has ended so that two files do not mix; and why it was ended, where it was. */
async function runFile(file: string, whole: AbortSignal): Promise<{ told: Told[]; because?: string }> {
  const bound = AbortSignal.timeout(FILE_MS);
  const told: Told[] = [];
  const signal = AbortSignal.any([whole, bound]);
  for await (const event of run({
    files: [resolve(root, file)],
    cwd: root,
    timeout: TEST_MS,
    signal,
    concurrency: 1,
  })) {
    const isCount =
      event.type === "test:summary" || (event.type === "test:diagnostic" && COUNT.test(event.data.message));
    if (!isCount) told.push(event as Told);
  }
  if (whole.aborted) return { told, because: "was stopped" };
  return bound.aborted
    ? { told, because: `was not done within ${FILE_MS / 1000} s: a test hangs, or leaves something open` }
    : { told };
}

process.exitCode = await main(positionals);
