/**
 * The contract of a UDP port, the same for every engine.
 *
 * A port hands out what it received in batches, in arrival order, and sends from any place that holds it. The receiver
 * waits in the kernel, never in a busy loop, and never blocks the main thread. Both engines pass `test/port.test.ts`.
 */
export interface Port extends AsyncDisposable {
  /** Which engine serves: `dgram` is portable, `batch` is Linux with recvmmsg/sendmmsg. */
  readonly engine: Engine;
  /** The bound address and port (the real port where 0 was asked for). */
  readonly local: Endpoint;
  /** Inherited from the service manager (systemd), not opened by this process. */
  readonly isInherited: boolean;
  readonly counters: Readonly<Counters>;
  /** One batch after another until the port is closed. One consumer at a time. */
  [Symbol.asyncIterator](): AsyncIterator<readonly Datagram[]>;
  /**
   * Answers each datagram where it stands, until the port is closed: in the place of iteration, for replies that need
   * nothing but the query. A reply leaves from the address that was asked (RFC 2181 §4.1); one that the kernel does not
   * take at once is counted as unsent. `replyBytes` is the longest reply.
   */
  serve(answer: Answer, replyBytes: number): Promise<void>;
  /**
   * Queues one datagram; what is queued in one turn of the event loop leaves in one call where the engine can. `bytes`
   * are copied: the caller may write over them at once. A full queue or a failing send is counted, never thrown.
   * `source` picks the address and interface to send from (IP_PKTINFO; engine `batch` only).
   */
  send(bytes: Uint8Array, to: Endpoint, source?: Source): void;
  /** Sends what is queued, now. */
  flush(): void;
  /** Stops receiving, sends what is queued, ends the iteration, frees the descriptor. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Reads the first `length` bytes of `query`, writes into `reply` and returns its length in bytes; 0 for no reply. Both arrays
 * are the engine's memory: nothing of them may be kept.
 */
export type Answer = (query: Uint8Array, length: number, reply: Uint8Array) => number;

export type Engine = "dgram" | "batch";

/** An address (IPv4 as unsigned 32-bit number, IPv6 as bigint; host order) and a UDP port. */
export interface Endpoint {
  readonly address: number | bigint;
  readonly port: number;
}

/** One datagram received. `bytes` is valid until the iteration asks for the next batch: copy what must outlive it. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
  /** The local address it was sent to and the interface it came in on; 0 where the engine cannot tell (`dgram`). */
  readonly to: number | bigint;
  readonly ifindex: number;
}

export interface Source {
  readonly address?: number | bigint;
  readonly ifindex?: number;
}

/** Monotonic counts since the port was opened. */
export interface Counters {
  received: number;
  sent: number;
  /** Dropped because it was not read in time: by the kernel (`batch`, SO_RXQ_OVFL), the newest past a bounded queue (`dgram`). */
  overflowed: number;
  /** Longer than `maxBytes`: cut short by the kernel and dropped here. */
  truncated: number;
  /** Not sent: refused by the kernel, or the send queue was full. */
  unsent: number;
}

export interface Listen {
  readonly address: number | bigint;
  /** 0 lets the kernel choose. A socket inherited from the service manager is used where it is bound alike. */
  readonly port: number;
  /** `auto` takes `batch` where it works and says why where it does not. */
  readonly engine?: Engine | "auto";
  /** SO_REUSEPORT, for several receivers on one port. */
  readonly share?: boolean;
  /** SO_BINDTODEVICE (Linux, engine `batch`). */
  readonly device?: string;
  /** SO_BROADCAST: may send to 255.255.255.255. */
  readonly broadcast?: boolean;
  /** Socket buffers asked of the kernel, in bytes. Default 4 MiB. */
  readonly bufferBytes?: number;
  /** Longest datagram accepted. Default 2048. */
  readonly maxBytes?: number;
  /** Most datagrams in one batch. Default 64. */
  readonly batch?: number;
  /** Called once when `auto` falls back to `dgram`, with the reason. */
  readonly onFallback?: (because: string) => void;
}
