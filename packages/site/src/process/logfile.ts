import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

const ROTATE_BYTES = 16 * 1024 * 1024;
const TAIL_LINES = 12;
const MAX_LINE = 16 * 1024;

/** Writes a child's log lines to a file of limited size, and shows important ones on the screen. */
export interface LogFile {
  readonly file: string;
  write(line: string): void;
  close(): Promise<void>;
}

/** `hear` hears every line; one that is not JSON (a crash, a native library) as a warning. */
export function openLog(file: string, hear: (line: LogLine) => void): LogFile {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > ROTATE_BYTES) renameSync(file, `${file}.1`);
  let stream = createWriteStream(file, { flags: "a" });
  let bytes = 0;
  stream.on("error", () => {}); // a full disk must not stop the site
  return {
    file,
    write: (text) => {
      const line = text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text;
      bytes += line.length + 1;
      if (bytes > ROTATE_BYTES) {
        stream.end();
        renameSync(file, `${file}.1`);
        stream = createWriteStream(file, { flags: "a" }).on("error", () => {});
        bytes = 0;
      }
      stream.write(`${line}\n`);
      hear(readLine(line));
    },
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}

export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const logFileOf = (stateDir: string, daemon: string): string => join(stateDir, "log", `${daemon}.log`);

/** The last lines of a daemon's log, for people. */
export function readTail(file: string): string[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-TAIL_LINES);
  return lines.map((line) => plainLine(readLine(line)));
}

/** Whether the line is shown on the screen. */
export const isWarning = ({ level }: LogLine): boolean => level === "warn" || level === "error" || level === "fatal";

const EVERY_LINE = new Set(["level", "time", "site", "daemon", "msg"]);

function readLine(line: string): LogLine {
  try {
    const { level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const fields = Object.fromEntries(Object.entries(rest).filter(([name]) => !EVERY_LINE.has(name)));
    return { level: typeof level === "string" ? level : "info", text: typeof msg === "string" ? msg : "", fields };
  } catch {
    return { level: line.trim() === "" ? "info" : "warn", text: line, fields: {} };
  }
}

/** As one line for people: the text, then its fields, an error by its message and cause. */
export function plainLine({ text, fields }: LogLine): string {
  const words = Object.entries(fields).map(([name, value]) =>
    name === "error" ? reason(value) : `${name}=${short(value)}`,
  );
  return [text, ...words].filter((word) => word !== "").join(" · ");
}

function reason(error: unknown): string {
  const { message, cause } = (error ?? {}) as { message?: string; cause?: unknown };
  return [message ?? short(error), ...(cause === undefined ? [] : [reason(cause)])].join(": ");
}

const short = (value: unknown): string => {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
};
