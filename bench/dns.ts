import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Place, Sample } from "./harness/contract.ts";
import { runPinned } from "./harness/process.ts";
import { PORT } from "./dns/ask.ts";
import { questions } from "./dns/content.ts";
import { ours } from "./dns/ours.ts";
import { peers } from "./dns/peers.ts";

const SECONDS = 5;
const ASKED = 100_000;

/** Authoritative answers over UDP: the same two zones, one core each, dnsperf on the other. */
export const bench: Bench = {
  name: "dns",
  operation: "query to answer over UDP: 60 % A, 20 % PTR, 10 % no data, 10 % no such name",
  rounds: 5,
  packages: ["dnsperf"],
  contenders: [ours, ...peers],
  load: (_serving, _contender, place) => load(place),
};

async function load({ folder, loadCore }: Place): Promise<Sample> {
  const asked = questions(ASKED);
  const file = join(folder, "queries.txt");
  writeFileSync(file, asked.map(({ name, type }) => `${name} ${type}\n`).join(""));
  const target = ["-s", "127.0.0.1", "-p", `${PORT}`, "-d", file];
  const shape = ["-l", `${SECONDS}`, "-c", "8", "-T", "1", "-q", "100"];
  const { stdout } = await runPinned(loadCore, "dnsperf", [...target, ...shape], { timeoutMs: (SECONDS + 20) * 1000 });
  const missing = asked.filter(({ rcode }) => rcode === "NXDOMAIN").length / asked.length;
  return sampleOf(stdout, missing);
}

/** What dnsperf says of itself. An answer with a code that the content does not explain is a failure. */
function sampleOf(text: string, missing: number): Sample {
  const told = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  const completed = told(/Queries completed:\s+(\d+)/);
  const nxdomain = told(/NXDOMAIN (\d+)/);
  const known = told(/NOERROR (\d+)/) + nxdomain;
  const astray = Math.abs(nxdomain - completed * missing); // a run ends anywhere in the list: a few are no wonder
  const wrong = completed - known + (astray > completed * 0.02 ? astray : 0);
  return {
    operations: completed - Math.round(wrong),
    seconds: told(/Run time \(s\):\s+([\d.]+)/),
    failed: told(/Queries lost:\s+(\d+)/) + Math.round(wrong),
    extra: { latencyMs: told(/Average Latency \(s\):\s+([\d.]+)/) * 1000 },
  };
}
