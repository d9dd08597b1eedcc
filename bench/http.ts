import { FILES, urlOf } from "./http/content.ts";
import { ours } from "./http/ours.ts";
import { nginx } from "./http/peers.ts";
import type { Bench, Placement, Sample } from "./harness/contract.ts";
import { runPinned } from "./harness/process.ts";

const LOAD_SECONDS = 4;

/** Artefacts over keep-alive connections, fetched by wrk: one of the size of a script, one of the size of an image. */
export const bench: Bench = {
  name: "http",
  operation: "artefact fetched whole",
  rounds: 3,
  variants: Object.keys(FILES),
  packages: ["wrk"],
  contenders: [ours, nginx],
  load: (_server, _contender, placement, variant) => load(placement, variant ?? "script"),
};

async function load({ loadCore }: Placement, variant: string): Promise<Sample> {
  const { bytes, connections } = FILES[variant]!;
  const args = [
    "-t",
    "1",
    "-c",
    `${connections}`,
    "-d",
    `${LOAD_SECONDS}`,
    "--latency",
    "--timeout",
    "10",
    urlOf(variant),
  ];
  const { stdout, code } = await runPinned(loadCore, "wrk", args, { timeoutMs: (LOAD_SECONDS + 20) * 1000 });
  if (code !== 0) throw new Error(`wrk exited with ${code}`);
  return sampleOf(stdout, bytes);
}

/** Parses wrk's report. Large files are counted by bytes, because wrk ends in the middle of one. */
export function sampleOf(text: string, fileBytes: number): Sample {
  const groupsOf = (pattern: RegExp): string[] => pattern.exec(text)?.slice(1) ?? [];
  const [, seconds = "1", unit = "s"] = groupsOf(/(\d+) requests in ([\d.]+)(\w+), /);
  const [size = "0", scale = ""] = groupsOf(/, ([\d.]+)([KMGT]?)B read/);
  const elapsed = Number(seconds) * (unit === "m" ? 60 : 1);
  const bytes = Number(size) * 1024 ** " KMGT".indexOf(scale || " ");
  const requests = Number(groupsOf(/(\d+) requests in/)[0] ?? 0);
  const errors = groupsOf(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/);
  const failed = errors.reduce(
    (sum, count) => sum + Number(count),
    Number(groupsOf(/Non-2xx or 3xx responses: (\d+)/)[0] ?? 0),
  );
  const operations = fileBytes < 1 << 20 ? requests - failed : bytes / fileBytes;
  return { operations, seconds: elapsed, failed, extra: { megabytesPerSecond: bytes / 1e6 / elapsed } };
}
