import type { Libc } from "./libc.ts";
import { createLoopWaiter } from "./loop.ts";
import { createThreadWaiter } from "./thread.ts";

/** Waits until there is something to read on a socket, or `wake()`. One wait at a time. */
export interface Waiter {
  wait(): Promise<void>;
  wake(): void;
  /** After the last `wait()` has settled. */
  close(): void;
}

/** In libuv's loop where it can be had, else on a thread of its pool. */
export function createWaiter(libc: Libc, fd: number): Waiter {
  return createLoopWaiter(fd) ?? createThreadWaiter(libc, fd);
}
