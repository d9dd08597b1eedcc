import { once } from "node:events";
import { EXIT, faultLine } from "@firstlight/service";
import { compose } from "./compose.ts";
import { daemonsOf } from "../process/daemons.ts";
import { guide } from "./guide.ts";
import { Interrupted } from "../process/interrupt.ts";
import { obstacles } from "../process/listeners.ts";
import { logFileOf, readTail } from "../process/logfile.ts";
import { Faulty, prepare, type Prepared, type Wanted } from "./prepare.ts";
import { GivenUp } from "../process/process.ts";
import { rackListener } from "./rack.ts";
import type { Screen } from "./screen.ts";
import { verify } from "./verify.ts";

export interface Up extends Wanted {
  readonly hasRack: boolean;
  readonly exitWhenReady: boolean;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly screen: Screen;
  /** Aborted with an `Interrupted`: Ctrl-C. */
  readonly stop: AbortSignal;
}

/** The exit code after a signal: 128 and its number, as in shells. */
const EXIT_CUT_SHORT = 130;

/** Runs `firstlight up`: the whole site until a signal. Returns the exit code; the reasons are printed. */
export async function up(wanted: Up, around: Surroundings): Promise<number> {
  const { screen, stop } = around;
  stop.addEventListener("abort", () => screen.head(`Stopping (${(stop.reason as Interrupted).signal})`));
  let prepared: Prepared | undefined;
  try {
    prepared = await prepare(wanted, around.env);
    return await run(wanted, prepared, around);
  } catch (error) {
    if (error instanceof Interrupted) return wanted.exitWhenReady ? EXIT_CUT_SHORT : EXIT.stopped;
    explain(error, prepared, screen);
    return error instanceof Faulty ? EXIT.config : EXIT.failed;
  } finally {
    prepared?.release();
    if (prepared !== undefined) screen.line("Everything has stopped.");
  }
}

async function run(wanted: Up, prepared: Prepared, { env, screen, stop }: Surroundings): Promise<number> {
  const { site, sections } = prepared;
  screen.head(`Firstlight, site ${site.site.name}`);
  for (const note of prepared.notes) screen.note(note);
  const daemons = daemonsOf(sections, wanted.hasRack);
  const inTheWay = await obstacles(sections, daemons);
  if (inTheWay.length > 0) throw new Error(inTheWay.join("\nfirstlight: "));
  const hear = rackListener(screen, sections, stop);
  await using composed = await compose({ prepared, daemons, env, screen, stop, hear });
  const ended = new AbortController();
  void composed.givenUp.then(({ name, because }) => ended.abort(new GivenUp(name, because)));
  const until = AbortSignal.any([stop, ended.signal]);
  if (wanted.hasRack || wanted.exitWhenReady) {
    const rack = composed.children.get("rack");
    const isWell = await verify({ prepared, rack, screen, until, timeoutSeconds: wanted.timeoutSeconds });
    until.throwIfAborted();
    if (wanted.exitWhenReady) return isWell ? EXIT.stopped : EXIT.failed;
  }
  screen.line(guide(prepared, composed));
  if (!until.aborted) await once(until, "abort");
  throw until.reason;
}

function explain(error: unknown, prepared: Prepared | undefined, screen: Screen): void {
  if (error instanceof Faulty) {
    for (const fault of error.faults) screen.failure(faultLine(fault));
    return;
  }
  screen.failure(`firstlight: ${(error as Error).message}`);
  if (!(error instanceof GivenUp) || prepared === undefined) return;
  const file = logFileOf(prepared.site.site.stateDir, error.daemon);
  screen.note(`the last lines of ${file}:`);
  for (const line of readTail(file)) screen.note(`  ${line}`);
}
