/** `npm run bench -- COMMAND`: measures how fast the product is. `--help` lists the commands. */
import { parseArgs } from "node:util";
import type { Bench } from "./harness/contract.ts";
import { PROFILED_DAEMONS } from "./flame/daemons.ts";

const BENCHES: readonly Bench["name"][] = ["dhcp", "dns", "tftp", "http", "storm", "api", "ipam"];

const USAGE = `npm run bench -- ${BENCHES.join("|")}
    Measures our server and its peers on this machine: each contender, with its database, on core 0, the load on core 1.
    Needs Linux, root and the peers' Debian packages. The report is kept in bench/results/.
      --rounds N         number of rounds (default: the bench's own)
      --only A,B         run only these contenders; the report is not kept
      --minutes N        begin no round that would end later (default 8)
      --keep             keep the contenders' folders with their logs
      --json             print the report as JSON on the last line

npm run bench -- micro
    Times hot paths in this process, relative to a calibration. Exits 1 if a path takes more than three times its baseline.
      --write-baseline   write bench/micro/baseline.json from this run

npm run bench -- flame [${Object.keys(PROFILED_DAEMONS).join("] [")}]
    Profiles these daemons (default: all) under the load of their bench. Writes docs/flame/DAEMON.svg and prints tables. Needs the same.`;

const OPTIONS = {
  rounds: { type: "string" },
  only: { type: "string" },
  minutes: { type: "string", default: "8" },
  keep: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  "write-baseline": { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

async function main(): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({ allowPositionals: true, options: OPTIONS });
  } catch (error) {
    return refuse((error as Error).message.split(". ")[0]!);
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  if (values.help || (command === "help" && rest.length === 0)) {
    console.log(USAGE);
    return 0;
  }
  if (command === "flame") {
    const unknown = rest.find((daemon) => !Object.hasOwn(PROFILED_DAEMONS, daemon));
    if (unknown !== undefined)
      return refuse(`cannot profile ${unknown}; daemons: ${Object.keys(PROFILED_DAEMONS).join(", ")}`);
    const { flame } = await import("./flame/main.ts");
    for (const daemon of rest.length > 0 ? rest : Object.keys(PROFILED_DAEMONS))
      await flame(daemon, (line) => console.log(line));
    return 0;
  }
  if (rest.length > 0) return refuse(`give one bench at a time, not: ${positionals.join(" ")}`);
  const [rounds, minutes] = [values.rounds, values.minutes].map((text) => (text === undefined ? text : Number(text)));
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    return refuse("--rounds must be a whole number above 0");
  if (!(minutes! > 0)) return refuse("--minutes must be a number above 0");
  if (command === "micro") {
    const { micro } = await import("./micro/main.ts");
    return micro({ write: values["write-baseline"], print: (line) => console.log(line) });
  }
  const name = BENCHES.find((one) => one === command);
  if (name === undefined) return refuse(`give one of: ${[...BENCHES, "micro", "flame"].join(" ")}; see --help`);
  const only = values.only?.split(",");
  const { keep, json } = values;
  const { runBench } = await import("./harness/run-bench.ts");
  return runBench(name, { minutes: minutes!, keep, json, ...(rounds && { rounds }), ...(only && { only }) });
}

/** Prints why the command line is refused, as one line. Returns the exit code. */
function refuse(because: string): number {
  console.error(because);
  return 2;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.exit(await main());
