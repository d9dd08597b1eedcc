import type { Running } from "./daemon.ts";

/** The same daemon, whose `stop` also closes `parts` afterwards, in reverse order of opening. `parts` is emptied at once. */
export function closeAfterStop(parts: AsyncDisposableStack, running: Running): Running {
  const owned = parts.move();
  return {
    ...running,
    async stop() {
      await using _closedAfterwards = owned;
      await running.stop();
    },
  };
}
