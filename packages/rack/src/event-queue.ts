import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "@firstlight/service";

/** Events for one machine, from a socket to its core. Bounded: events beyond the bound are dropped. */
export interface EventQueue<Event> {
  put(event: Event): void;
  /** The next event, or `undefined` when `atMs` has come. Rejects with the signal's reason when the signal aborts. */
  next(atMs: number): Promise<Event | undefined>;
}

const MOST = 256;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** `settled` resolves when everything received has been queued; only then does a wait time out. */
export function createEventQueue<Event>(
  clock: Clock,
  signal: AbortSignal,
  settled: () => Promise<void> = fewTurns,
): EventQueue<Event> {
  const waiting: Event[] = [];
  let wake: (() => void) | undefined;
  return {
    put(event) {
      if (waiting.length < MOST) waiting.push(event);
      wake?.();
    },
    async next(atMs) {
      if (waiting.length === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const late = (): void => void settled().then(resolve);
          const timer = setTimeout(late, Math.min(LONGEST_TIMER_MS, Math.max(0, atMs - clock.now())));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener("abort", wake, { once: true });
        });
        if (wake) signal.removeEventListener("abort", wake);
        wake = undefined;
      }
      signal.throwIfAborted();
      return waiting.shift();
    },
  };
}

/** In a turn of the event loop timers come before sockets: an answer may have arrived that is not read yet. */
async function fewTurns(): Promise<void> {
  await turn();
  await turn();
  await turn();
}
