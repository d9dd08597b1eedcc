import { constants } from "node:os";
import type { Supervisor } from "./supervisor.ts";

/**
 * Settles with the reason when this process is asked to stop: SIGTERM, SIGINT, or loss of the supervisor.
 * A signal after that ends the process at once.
 */
export function signalled(process: NodeJS.Process, supervisor: Supervisor): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (because: string, signal?: NodeJS.Signals): void => {
      if (asked && signal !== undefined) process.exit(128 + constants.signals[signal]);
      asked = true;
      resolve(because);
    };
    process.on("SIGTERM", () => ask("SIGTERM", "SIGTERM"));
    process.on("SIGINT", () => ask("SIGINT", "SIGINT"));
    supervisor.whenGone(() => ask("supervisor is gone"));
  });
}
