import type { BlockingPort, Wakeup } from "./batch/blocking.ts";
import type { Listen } from "./port.ts";

export type { BlockingPort, Wakeup } from "./batch/blocking.ts";

/** Rejects with `FL_UNAVAILABLE` elsewhere than on Linux. */
export async function createWakeup(): Promise<Wakeup> {
  return (await import("./batch/blocking.ts")).createWakeup(); // late: elsewhere there is no koffi to load
}

/** Opens a port for this thread alone; `wakeup` is the descriptor of a `Wakeup` that another thread keeps. */
export async function listenBlocking(options: Listen, wakeup: number): Promise<BlockingPort> {
  return (await import("./batch/blocking.ts")).openBlocking(options, wakeup);
}
