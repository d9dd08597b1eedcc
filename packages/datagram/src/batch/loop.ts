import { isMainThread } from "node:worker_threads";
import koffi from "koffi";
import { memory, type Memory } from "./libc.ts";
import type { Waiter } from "./waiter.ts";

/**
 * Waits in libuv's own loop, as every other socket of node does: `uv_poll_t` on our descriptor, through the functions the
 * node binary exports to addons. No thread is kept and none is woken. The main thread's loop alone: a worker's is not
 * `uv_default_loop`.
 */
const PROTOTYPES = {
  size: "size_t uv_handle_size(int)",
  loop: "void *uv_default_loop()",
  init: "int uv_poll_init(uintptr_t, uintptr_t, int)",
  start: "int uv_poll_start(uintptr_t, int, FirstlightReady *)",
  stop: "int uv_poll_stop(uintptr_t)",
  close: "void uv_close(uintptr_t, uintptr_t)",
} as const;
const UV_POLL = 8; // uv_handle_type, uv.h
const UV_READABLE = 1;

type Uv = Record<keyof typeof PROTOTYPES, (...args: unknown[]) => unknown> & {
  readonly ready: ReturnType<typeof koffi.proto>;
};
let uv: Uv | undefined;
let isTried = false;

/** `undefined` where this thread or this node has no such loop. */
export function createLoopWaiter(fd: number): Waiter | undefined {
  const calls = isMainThread ? loadUv() : undefined;
  if (!calls) return undefined;
  const handle = memory(Number(calls.size(UV_POLL)));
  if (calls.init(Number(koffi.address(calls.loop())), handle.address, fd) !== 0) return undefined;
  let settle: (() => void) | undefined;
  let isPolled = false;
  const stop = (): void => {
    if (isPolled) calls.stop(handle.address);
    isPolled = false;
  };
  const end = (): void => {
    settle?.();
    settle = undefined;
  };
  // Polled from one wait to the next: a lone packet costs no change of what the loop watches. Without a waiter
  // nothing reads, so polling stops; otherwise the loop would call back at every turn.
  const ready = koffi.register(() => (settle ? end() : stop()), koffi.pointer(calls.ready));
  const waiter: Waiter = {
    wait: () =>
      new Promise((resolve) => {
        settle = resolve;
        if (isPolled) return;
        isPolled = calls.start(handle.address, UV_READABLE, ready) === 0;
        if (!isPolled) end(); // the next read says what is wrong
      }),
    wake: end,
    close: () => {
      polling.delete(stop);
      stop();
      closed(handle, () => koffi.unregister(ready));
      calls.close(handle.address, 0);
    },
  };
  polling.add(stop);
  return waiter;
}

/** How each waiter leaves the loop. */
const polling = new Set<() => void>();
const closing = new Set<Memory>();

/** libuv lets go of a closed handle at the end of its turn: until then its memory must stay. */
function closed(handle: Memory, then: () => void): void {
  closing.add(handle);
  setImmediate(() =>
    setImmediate(() => {
      closing.delete(handle);
      then();
    }),
  );
}

function loadUv(): Uv | undefined {
  if (isTried) return uv;
  isTried = true;
  try {
    const library = koffi.load(null);
    const ready = koffi.proto("void FirstlightReady(uintptr_t, int, int)");
    const entries = Object.entries(PROTOTYPES).map(([name, prototype]) => [name, library.func(prototype)]);
    uv = { ...Object.fromEntries(entries), ready } as Uv;
    process.on("exit", () => {
      for (const stop of polling) stop(); // nothing of ours is called while node takes itself down
    });
  } catch {
    uv = undefined; // a node that exports none of it: a pool thread waits instead
  }
  return uv;
}
