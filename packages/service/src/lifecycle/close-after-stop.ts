import type { Running } from "./daemon.ts";

/** Ties the parts a daemon uses to its life: after the daemon has stopped they are closed, in reverse order of opening. */
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
