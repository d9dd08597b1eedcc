import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";

const ROTATE_BYTES = 16 * 1024 * 1024;
const TAIL_LINES = 12;
const MAX_LINE = 16 * 1024;

/** Where a child's lines go: a file that is kept small, a short tail in memory, and people when it matters. */
export interface LogFile {
  readonly file: string;
  write(line: string): void;
  tail(): readonly string[];
  close(): Promise<void>;
}

/** `onWarning` hears of lines of level warn and above, and of lines that are not JSON (a crash, a native library). */
export function openLog(file: string, onWarning: (line: LogLine) => void): LogFile {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > ROTATE_BYTES) renameSync(file, `${file}.1`);
  let stream = createWriteStream(file, { flags: "a" });
  let bytes = 0;
  const recent: string[] = [];
  stream.on("error", () => {}); // a full disk costs the log, never the site
  return {
    file,
    write: (text) => {
      const line = text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text;
      recent.push(line);
      if (recent.length > TAIL_LINES) recent.shift();
      bytes += line.length + 1;
      if (bytes > ROTATE_BYTES) {
        stream.end();
        renameSync(file, `${file}.1`);
        stream = createWriteStream(file, { flags: "a" }).on("error", () => {});
        bytes = 0;
      }
      stream.write(`${line}\n`);
      const read = readLine(line);
      if (read.level === "warn" || read.level === "error" || read.level === "fatal") onWarning(read);
    },
    tail: () => recent,
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}

export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const EVERY_LINE = new Set(["level", "time", "site", "daemon", "msg"]);

export function readLine(line: string): LogLine {
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
