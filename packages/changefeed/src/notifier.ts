import type pg from "pg";
import { CHANNELS } from "./place.ts";

/**
 * A notification as a transaction of its own that waits for no disk. Inside a writer's transaction NOTIFY would make all
 * commits queue behind one lock, from before their flush to after it.
 */
export function notifySql(channel: keyof typeof CHANNELS): string {
  return `BEGIN; SET LOCAL synchronous_commit = off; NOTIFY ${CHANNELS[channel]}; COMMIT`;
}

/** Wakes the sequencer after commits. */
export interface Notifier {
  /** There are committed changes. The first call notifies at once, further ones at most once per gap. */
  notify(): void;
  close(): void;
}

export function createNotifier(pool: pg.Pool, gapMs = 10): Notifier {
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;
  const send = (): void => {
    isDue = false;
    timer = setTimeout(() => {
      timer = undefined;
      if (isDue) send();
    }, gapMs);
    pool.query(notifySql("pending")).catch(() => {}); // the sequencer polls
  };
  return {
    notify() {
      isDue = true;
      if (!timer) send();
    },
    close() {
      clearTimeout(timer);
      isDue = false;
    },
  };
}
