import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Placement, Sample } from "./harness/contract.ts";
import { runPinned } from "./harness/process.ts";
import { PORT } from "./dns/verify.ts";
import { questions } from "./dns/content.ts";
import { ours } from "./dns/ours.ts";
import { peers } from "./dns/peers.ts";

const SECONDS = 5;
const QUESTIONS = 100_000;

/** Authoritative answers over UDP. Each server has the same two zones and one core; dnsperf runs on the other core. */
export const bench: Bench = {
  name: "dns",
  operation: "query to answer over UDP: 60 % A, 20 % PTR, 10 % no data, 10 % no such name",
  rounds: 5,
  packages: ["dnsperf"],
  contenders: [ours, ...peers],
  load: (_server, _contender, placement) => load(placement),
};

async function load({ folder, loadCore }: Placement): Promise<Sample> {
  const sent = questions(QUESTIONS);
  const file = join(folder, "queries.txt");
  writeFileSync(file, sent.map(({ name, type }) => `${name} ${type}\n`).join(""));
  const target = ["-s", "127.0.0.1", "-p", `${PORT}`, "-d", file];
  const shape = ["-l", `${SECONDS}`, "-c", "8", "-T", "1", "-q", "100"];
  const { stdout } = await runPinned(loadCore, "dnsperf", [...target, ...shape], { timeoutMs: (SECONDS + 20) * 1000 });
  const nxdomainShare = sent.filter(({ rcode }) => rcode === "NXDOMAIN").length / sent.length;
  return sampleOf(stdout, nxdomainShare);
}

/** Parses dnsperf's report. An answer counts as failed where its response code is not the one that the zones' content gives. */
function sampleOf(text: string, nxdomainShare: number): Sample {
  const numberAfter = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  const completed = numberAfter(/Queries completed:\s+(\d+)/);
  const nxdomain = numberAfter(/NXDOMAIN (\d+)/);
  const known = numberAfter(/NOERROR (\d+)/) + nxdomain;
  const excess = Math.abs(nxdomain - completed * nxdomainShare); // a run may end anywhere in the list, so a small difference is no fault
  const wrong = completed - known + (excess > completed * 0.02 ? excess : 0);
  return {
    operations: completed - Math.round(wrong),
    seconds: numberAfter(/Run time \(s\):\s+([\d.]+)/),
    failed: numberAfter(/Queries lost:\s+(\d+)/) + Math.round(wrong),
    extra: { latencyMs: numberAfter(/Average Latency \(s\):\s+([\d.]+)/) * 1000 },
  };
}
