import { endianness } from "node:os";
import { getSystemErrorName } from "node:util";
import koffi from "koffi";
import { Unavailable } from "../unavailable.ts";

/**
 * The calls we make, in C's words. Buffers go as numbers: `addressOf` once, then arithmetic. That is only sound while
 * the `ArrayBuffer` is reachable, so whoever keeps an address keeps its buffer in the same object.
 */
const CALLS = {
  socket: "int socket(int, int, int)",
  setsockopt: "int setsockopt(int, int, int, uintptr_t, uint32_t)",
  getsockopt: "int getsockopt(int, int, int, uintptr_t, uintptr_t)",
  bind: "int bind(int, uintptr_t, uint32_t)",
  getsockname: "int getsockname(int, uintptr_t, uintptr_t)",
  recvmmsg: "int recvmmsg(int, uintptr_t, uint32_t, int, uintptr_t)",
  sendto: "int64_t sendto(int, uintptr_t, uint64_t, int, uintptr_t, uint32_t)",
  sendmmsg: "int sendmmsg(int, uintptr_t, uint32_t, int)",
  eventfd: "int eventfd(uint32_t, int)",
  poll: "int poll(uintptr_t, uint64_t, int)",
  read: "int64_t read(int, uintptr_t, uint64_t)",
  write: "int64_t write(int, uintptr_t, uint64_t)",
  close: "int close(int)",
} as const;

type Call = (...args: number[]) => number;
export type Libc = Record<keyof typeof CALLS, Call> & {
  /** `poll` on a thread of libuv's pool: settles with its return value. */
  pollAsync(fds: number, count: number, timeoutMs: number): Promise<number>;
  errno(): number;
};

let loaded: Libc | undefined;

/** Loads the C library once a process. Throws `Unavailable` where the layouts below do not hold. */
export function loadLibc(): Libc {
  if (loaded) return loaded;
  if (process.platform !== "linux") throw new Unavailable("engine batch needs Linux");
  if (endianness() !== "LE" || process.arch === "ia32" || process.arch === "arm") {
    throw new Unavailable("engine batch knows 64-bit little-endian layouts only");
  }
  try {
    const library = koffi.load(null); // the C library this very process runs on, glibc or musl
    const entries = Object.entries(CALLS).map(([name, prototype]) => [name, library.func(prototype)]);
    const calls = Object.fromEntries(entries) as Record<keyof typeof CALLS, Call & { async: AsyncCall }>;
    loaded = {
      ...calls,
      errno: () => koffi.errno(),
      pollAsync: (...args) =>
        new Promise((resolve, reject) =>
          calls.poll.async(...args, (fault, result) => (fault ? reject(fault) : resolve(result))),
        ),
    };
    return loaded;
  } catch (cause) {
    throw new Unavailable(`engine batch cannot load its foreign functions: ${(cause as Error).message}`, { cause });
  }
}

type AsyncCall = (...args: [...number[], (fault: Error | null, result: number) => void]) => void;

/** Memory outside the moving heap, and where it is. Addresses are below 2^48 here: exact as numbers. */
export interface Memory {
  readonly address: number;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly view: DataView;
}

export function memory(bytes: number): Memory {
  const buffer = new ArrayBuffer((bytes + 7) & ~7); // never a small typed array: V8 keeps those on the heap, where they move
  const address = Number(koffi.address(buffer));
  return { address, u8: new Uint8Array(buffer), u32: new Uint32Array(buffer), view: new DataView(buffer) };
}

/** The error the kernel just gave, as node's own errors look. */
export function systemError(libc: Libc, syscall: string): NodeJS.ErrnoException {
  const errno = -libc.errno();
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno, syscall });
}
