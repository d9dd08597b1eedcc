/**
 * `npm test`: runs every test that needs neither root nor a Debian package. Each file is a process; two run at a time
 * (`--concurrency=N`), on one PostgreSQL (DATABASE_URL, if set). Other arguments select files by a part of their path.
 *
 * A test, a file and the run have time limits. A file that keeps something open after its last test fails by its limit.
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
/** Node's summary lines of one file. They are left out; the summary of all files is printed at the end. */
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

/** An event of Node's test runner. */
type TestEvent = { readonly type: string; readonly data: TestData };
interface TestData {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details?: { readonly type?: string; readonly error?: { readonly failureType?: string } };
}

/** Counts the tests of all files. */
class TestCounts {
  passed = 0;
  failed = 0;
  readonly #skips = new Map<string, number>();

  /** Counts one event: tests and no suites; of nested failures only the innermost. */
  add({ type, data }: TestEvent): void {
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
  const runLimit = AbortSignal.any([interrupted.signal, AbortSignal.timeout(RUN_MS)]);
  const reporter = new spec();
  reporter.pipe(process.stdout);
  const counts = new TestCounts();
  const unfinished: string[] = [];
  const queue = files.values();
  const work = async (): Promise<void> => {
    for (const file of queue) {
      if (runLimit.aborted) {
        unfinished.push(`${file} was not run`);
        continue;
      }
      const { events, because } = await runFile(file, runLimit);
      for (const event of events) {
        counts.add(event);
        reporter.write(event);
      }
      if (because !== undefined) unfinished.push(`${file} ${because}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.concurrency) || 1 }, work));
  reporter.end();
  await once(reporter, "end");
  const seconds = Math.round((performance.now() - began) / 1000);
  for (const line of unfinished) console.log(line);
  if (runLimit.aborted)
    console.log(interrupted.signal.aborted ? "interrupted" : `the run took longer than ${RUN_MS / 60_000} minutes`);
  console.log(`${String(counts)}\n${files.length} files in ${seconds} s`);
  if (interrupted.signal.aborted) return 130;
  return counts.failed > 0 || unfinished.length > 0 ? 1 : 0;
}

/** Runs one file. Returns its events when it has ended, so that the output of two files does not mix; `because`: why it was stopped. */
async function runFile(file: string, runLimit: AbortSignal): Promise<{ events: TestEvent[]; because?: string }> {
  const fileLimit = AbortSignal.timeout(FILE_MS);
  const events: TestEvent[] = [];
  const signal = AbortSignal.any([runLimit, fileLimit]);
  for await (const event of run({
    files: [resolve(root, file)],
    cwd: root,
    timeout: TEST_MS,
    signal,
    concurrency: 1,
  })) {
    const isCount =
      event.type === "test:summary" || (event.type === "test:diagnostic" && COUNT.test(event.data.message));
    if (!isCount) events.push(event as TestEvent);
  }
  if (runLimit.aborted) return { events, because: "was stopped" };
  return fileLimit.aborted
    ? { events, because: `did not end within ${FILE_MS / 1000} s: a test hangs or keeps something open` }
    : { events };
}

process.exitCode = await main(positionals);
