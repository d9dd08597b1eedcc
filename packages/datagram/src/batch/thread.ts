import { EFD_FLAGS, POLLIN } from "./constants.ts";
import { type Libc, memory, systemError } from "./libc.ts";
import { Unavailable } from "../unavailable.ts";
import type { Waiter } from "./waiter.ts";

const waiters = new Set<Waiter>();
let listensForExit = false;

/**
 * Waits in the kernel, on a thread of libuv's pool. Every port that waits keeps one thread of the pool, so at least one must stay free for files, DNS and crypto: past
 * that the port is `Unavailable`. UV_THREADPOOL_SIZE (default 4) is read when the process starts.
 */
export function createThreadWaiter(libc: Libc, fd: number): Waiter {
  const threads = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);
  if (waiters.size + 1 >= threads) {
    throw new Unavailable(`engine batch has no thread left to wait on: raise UV_THREADPOOL_SIZE above ${threads}`);
  }
  const wakeup = libc.eventfd(0, EFD_FLAGS);
  if (wakeup < 0) throw systemError(libc, "eventfd");
  const fds = memory(16); // two struct pollfd: fd, events, revents
  fds.view.setInt32(0, fd, true);
  fds.view.setInt16(4, POLLIN, true);
  fds.view.setInt32(8, wakeup, true);
  fds.view.setInt16(12, POLLIN, true);
  const one = memory(8);
  one.view.setBigUint64(0, 1n, true);

  const waiter: Waiter = {
    wait: async () => void (await libc.pollAsync(fds.address, 2, -1)),
    wake: () => void libc.write(wakeup, one.address, 8),
    close: () => {
      waiters.delete(waiter);
      libc.close(wakeup);
    },
  };
  waiters.add(waiter);
  wakeAllAtExit();
  return waiter;
}

/** A process that exits joins its pool threads: one still waiting in the kernel would hang it for ever. */
function wakeAllAtExit(): void {
  if (listensForExit) return;
  listensForExit = true;
  process.on("exit", () => {
    for (const waiter of waiters) waiter.wake();
  });
}
