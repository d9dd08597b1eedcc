import type { Bell, BlockingPort, Wakeup } from "./batch/blocking.ts";
import type { Listen } from "./port.ts";

export type { Bell, BlockingPort, Wakeup } from "./batch/blocking.ts";
export type { Body, Run } from "./batch/run.ts";

/** Rejects with `FL_UNAVAILABLE` elsewhere than on Linux. */
export async function createWakeup(): Promise<Wakeup> {
  return (await import("./batch/blocking.ts")).createWakeup(); // late: elsewhere there is no koffi to load
}

/** Opens a port for this thread alone; `bell` is of a `Wakeup` that another thread keeps. */
export async function listenBlocking(options: Listen, bell: Bell): Promise<BlockingPort> {
  return (await import("./batch/blocking.ts")).openBlocking(options, bell);
}
