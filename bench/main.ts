/** `npm run bench -- VERB`: what is fast, measured. `--help` says which verbs there are. */
import { parseArgs } from "node:util";
import type { Bench } from "./harness/contract.ts";
import { FLAMES } from "./flame/flames.ts";

const BENCHES: readonly Bench["name"][] = ["dhcp", "dns", "tftp", "http", "storm", "api", "ipam"];

const USAGE = `npm run bench -- ${BENCHES.join("|")}
    ours and the peers side by side on this machine: each contender, its database included, on core 0, the load on core 1.
    Linux; root and Debian's packages of the peers. The report is kept in bench/results/.
      --rounds N         rounds instead of the bench's own number
      --only A,B         these contenders alone; the report is not kept
      --minutes N        no round begins that would end later (default 8)
      --keep             keep the contenders' folders with their logs
      --json             the report as one object, alone on the last line

npm run bench -- micro
    hot paths timed in this process, over a calibration: exit 1 at three times the baseline.
      --write-baseline   bench/micro/baseline.json anew, from this run

npm run bench -- flame [${Object.keys(FLAMES).join("] [")}]
    each daemon, or these, under the load of its bench, and where its time went: docs/flame/DAEMON.svg and tables. As above.`;

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
  let asked;
  try {
    asked = parseArgs({ allowPositionals: true, options: OPTIONS });
  } catch (error) {
    return fault((error as Error).message.split(". ")[0]!);
  }
  const { values, positionals } = asked;
  const [verb, ...rest] = positionals;
  if (values.help || (verb === "help" && rest.length === 0)) {
    console.log(USAGE);
    return 0;
  }
  if (verb === "flame") {
    const unknown = rest.find((daemon) => !Object.hasOwn(FLAMES, daemon));
    if (unknown !== undefined) return fault(`no flame of ${unknown}: there are ${Object.keys(FLAMES).join(", ")}`);
    const { flame } = await import("./flame/main.ts");
    for (const daemon of rest.length > 0 ? rest : Object.keys(FLAMES)) await flame(daemon, (line) => console.log(line));
    return 0;
  }
  if (rest.length > 0) return fault(`one bench at a time: ${positionals.join(" ")}`);
  const [rounds, minutes] = [values.rounds, values.minutes].map((text) => (text === undefined ? text : Number(text)));
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) return fault("--rounds wants a whole number");
  if (!(minutes! > 0)) return fault("--minutes wants a number");
  if (verb === "micro") {
    const { micro } = await import("./micro/main.ts");
    return micro({ write: values["write-baseline"], say: (line) => console.log(line) });
  }
  const name = BENCHES.find((one) => one === verb);
  if (name === undefined) return fault(`which bench? ${[...BENCHES, "micro", "flame"].join(" ")}; --help says more`);
  const only = values.only?.split(",");
  const { keep, json } = values;
  const { sideBySide } = await import("./harness/side.ts");
  return sideBySide(name, { minutes: minutes!, keep, json, ...(rounds && { rounds }), ...(only && { only }) });
}

/** What the command line cannot mean is one line. */
function fault(because: string): number {
  console.error(because);
  return 2;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.exit(await main());
