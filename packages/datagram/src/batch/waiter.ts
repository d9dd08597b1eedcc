/** Waits until a socket is readable or `wake()` is called. One wait at a time. */
export interface Waiter {
  wait(): Promise<void>;
  wake(): void;
  /** After the last `wait()` has settled. */
  close(): void;
}
