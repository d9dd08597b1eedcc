import type { Running } from "./daemon.ts";

/** A started daemon that owns what it was started on: when it has stopped, that is closed, the last opened first. */
export function owning(parts: AsyncDisposableStack, running: Running): Running {
  const owned = parts.move();
  return {
    ...running,
    async stop() {
      await using _closedAfterwards = owned;
      await running.stop();
    },
  };
}
