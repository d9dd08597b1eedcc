import type pg from "pg";

/** Channels: writers wake the sequencer, the sequencer wakes the readers. Both only save time; a poll stands behind each. */
export const CHANNELS = { pending: "firstlight_pending", feed: "firstlight_feed" } as const;

/**
 * A notification as a transaction of its own that waits for no disk: inside a lease transaction NOTIFY would make all
 * commits queue behind one lock, from before their flush to after it.
 */
export function notifySql(channel: keyof typeof CHANNELS): string {
  return `BEGIN; SET LOCAL synchronous_commit = off; NOTIFY ${CHANNELS[channel]}; COMMIT`;
}

export interface Herald {
  /** There are committed changes. Told at once, then at most once per gap. */
  tell(): void;
  close(): void;
}

export function createHerald(pool: pg.Pool, gapMs = 10): Herald {
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
    tell() {
      isDue = true;
      if (!timer) send();
    },
    close() {
      clearTimeout(timer);
      isDue = false;
    },
  };
}
