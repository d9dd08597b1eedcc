import { FILES, URL_OF } from "./http/content.ts";
import { ours } from "./http/ours.ts";
import { nginx } from "./http/peers.ts";
import type { Bench, Place, Sample } from "./harness/contract.ts";
import { runPinned } from "./harness/process.ts";

const SECONDS = 4;

/** Artefacts over kept-alive connections, asked for by wrk: one the size of a script, one the size of an image. */
export const bench: Bench = {
  name: "http",
  operation: "artefact fetched whole",
  rounds: 3,
  variants: Object.keys(FILES),
  packages: ["wrk"],
  contenders: [ours, nginx],
  load: (_serving, _contender, place, variant) => load(place, variant ?? "script"),
};

async function load({ loadCore }: Place, variant: string): Promise<Sample> {
  const { bytes, connections } = FILES[variant]!;
  const args = ["-t", "1", "-c", `${connections}`, "-d", `${SECONDS}`, "--latency", "--timeout", "10", URL_OF(variant)];
  const { stdout, code } = await runPinned(loadCore, "wrk", args, { timeoutMs: (SECONDS + 20) * 1000 });
  if (code !== 0) throw new Error(`wrk ended with ${code}`);
  return sampleOf(stdout, bytes);
}

/** What wrk says of itself. What it got is counted by bytes, since it ends in the midst of large files. */
export function sampleOf(text: string, fileBytes: number): Sample {
  const told = (pattern: RegExp): string[] => pattern.exec(text)?.slice(1) ?? [];
  const [, seconds = "1", unit = "s"] = told(/(\d+) requests in ([\d.]+)(\w+), /);
  const [size = "0", scale = ""] = told(/, ([\d.]+)([KMGT]?)B read/);
  const elapsed = Number(seconds) * (unit === "m" ? 60 : 1);
  const bytes = Number(size) * 1024 ** " KMGT".indexOf(scale || " ");
  const requests = Number(told(/(\d+) requests in/)[0] ?? 0);
  const errors = told(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/);
  const failed = errors.reduce(
    (sum, count) => sum + Number(count),
    Number(told(/Non-2xx or 3xx responses: (\d+)/)[0] ?? 0),
  );
  const operations = fileBytes < 1 << 20 ? requests - failed : bytes / fileBytes;
  return { operations, seconds: elapsed, failed, extra: { megabytesPerSecond: bytes / 1e6 / elapsed } };
}
