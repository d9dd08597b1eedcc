import { constants } from "node:os";
import type { Supervisor } from "./supervisor.ts";

/**
 * Resolves with the reason once this process must stop: `SIGTERM`, `SIGINT`, or its supervisor has exited.
 * Any later signal ends the process at once.
 */
export function stopRequested(process: NodeJS.Process, supervisor: Supervisor): Promise<string> {
  return new Promise((resolve) => {
    let isRequested = false;
    const request = (because: string, signal?: NodeJS.Signals): void => {
      if (isRequested && signal !== undefined) process.exit(128 + constants.signals[signal]);
      isRequested = true;
      resolve(because);
    };
    process.on("SIGTERM", () => request("SIGTERM", "SIGTERM"));
    process.on("SIGINT", () => request("SIGINT", "SIGINT"));
    supervisor.onExit(() => request("supervisor is gone"));
  });
}
