import type { Timer } from "./session.ts";

/** The event loop's. */
export function loopTimer(): Timer {
  let timeout: NodeJS.Timeout | undefined;
  return {
    set(ms, tick) {
      clearTimeout(timeout);
      timeout = setTimeout(tick, ms);
    },
    clear: () => clearTimeout(timeout),
  };
}
