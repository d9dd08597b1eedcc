import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { BootEvent } from "./api.ts";
import { isEventKind } from "./codec.ts";
import { SPOOL } from "./spool.ts";

const MAX_BYTES = 32 * 1024 * 1024;

/** The events that a daemon could not send before it stopped, one a line in its state folder. */
export interface SpoolFile {
  load(): Promise<BootEvent[]>;
  /** Replaces the stored events; an empty list removes the file. */
  save(events: readonly BootEvent[]): Promise<void>;
}

export function openSpoolFile(file: string): SpoolFile {
  return {
    async load() {
      const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      return text.length > MAX_BYTES ? [] : text.split("\n").flatMap(parse).slice(0, SPOOL.capacity);
    },
    async save(events) {
      if (events.length === 0) return rm(file, { force: true });
      await mkdir(dirname(file), { recursive: true });
      await writeFile(`${file}.new`, events.map((event) => `${JSON.stringify(event)}\n`).join(""), { mode: 0o600 });
      await rename(`${file}.new`, file);
    },
  };
}

/** A torn line is skipped: the file is best effort and never prevents a start. */
function parse(line: string): BootEvent[] {
  try {
    const event = JSON.parse(line) as BootEvent;
    const isEvent = typeof event.id === "string" && typeof event.at === "number" && isEventKind(event.kind);
    return isEvent ? [event] : [];
  } catch {
    return [];
  }
}
