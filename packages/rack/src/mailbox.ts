import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "@firstlight/service";

/** Events for one machine between a socket and its core. Bounded: what comes while it is full is lost, as on a wire. */
export interface Mailbox<Event> {
  put(event: Event): void;
  /** The next event, or `undefined` when `atMs` has come. Rejects with the signal's reason when the power goes. */
  next(atMs: number): Promise<Event | undefined>;
}

const MOST = 256;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** `settled` tells when all that has arrived was put; only then is nothing there. */
export function createMailbox<Event>(
  clock: Clock,
  signal: AbortSignal,
  settled: () => Promise<void> = fewTurns,
): Mailbox<Event> {
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

/** In a turn of the event loop timers come before sockets: an answer may be there that nobody has read yet. */
async function fewTurns(): Promise<void> {
  await turn();
  await turn();
  await turn();
}
