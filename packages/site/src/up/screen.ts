import { stripVTControlCharacters } from "node:util";
import { plainLine, type LogLine } from "../process/logfile.ts";
import { paint } from "../print.ts";

/** The output of `up` while the site starts, runs and stops. */
export interface Screen {
  line(text: string): void;
  head(text: string): void;
  /** One part of the site, up: its name, where it is, how long it took. */
  part(name: string, text: string, ms?: number): void;
  note(text: string): void;
  /** A warning in capitals. */
  shout(text: string): void;
  /** A line of a daemon's log; lines beyond a rate are counted instead of shown. */
  warning(name: string, line: LogLine): void;
  failure(text: string): void;
}

const WARNINGS = 8;
const WINDOW_MS = 10_000;

export function openScreen(out: { write(text: string): unknown }, now: () => number = () => performance.now()): Screen {
  const line = (text: string): void => void out.write(`${text}\n`);
  const floods = new Map<string, { since: number; count: number }>();
  /** How many were hidden when a window ends, and whether this one may be shown. */
  const admit = (name: string): boolean => {
    const flood = floods.get(name);
    if (flood === undefined || now() - flood.since > WINDOW_MS) {
      if (flood !== undefined && flood.count > WARNINGS)
        line(paint("dim", `  ${name}: ${flood.count - WARNINGS} more in its log`));
      floods.set(name, { since: now(), count: 1 });
      return true;
    }
    flood.count += 1;
    return flood.count <= WARNINGS;
  };
  return {
    line,
    head: (text) => line(`\n${paint("bold", text)}`),
    part: (name, text, ms) =>
      line(`  ${name.padEnd(14)}  ${text}${ms === undefined ? "" : paint("dim", `  ${(ms / 1000).toFixed(1)} s`)}`),
    note: (text) => line(paint("dim", `  ${text}`)),
    shout: (text) => line(paint(["bold", "red"], text.toUpperCase())),
    warning: (name, read) => {
      if (!admit(name)) return;
      const style = read.level === "warn" ? "yellow" : "red";
      line(`  ${paint(style, `${name} ${read.level}`)}: ${visible(plainLine(read))}`);
    },
    failure: (text) => line(paint("red", text)),
  };
}

/** Removes control characters: some texts come from peers. */
const visible = (text: string): string => stripVTControlCharacters(text).replaceAll(/[^\P{C}]/gu, "?");
