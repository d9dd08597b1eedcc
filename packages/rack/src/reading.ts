import { setImmediate as turn } from "node:timers/promises";

/** Datagrams in one batch: a shorter one has left nothing behind. */
export const BATCH = 64;

/** How far the reader of a socket has come. */
export class Reading {
  #isBehind = false;
  #quiet: Promise<void> | undefined;
  #caughtUp: (() => void) | undefined;

  took(datagrams: number): void {
    this.#isBehind = datagrams === BATCH;
    if (this.#isBehind) return;
    this.#caughtUp?.();
    this.#caughtUp = undefined;
  }

  /** Resolves once what has arrived by now has been read; one wait for all who ask in the same turn. */
  quiet(): Promise<void> {
    return (this.#quiet ??= this.#wait().finally(() => (this.#quiet = undefined)));
  }

  async #wait(): Promise<void> {
    await turn(); // timers come before sockets: let those have their turn
    await turn();
    while (this.#isBehind) await new Promise<void>((resolve) => (this.#caughtUp = resolve));
  }
}
