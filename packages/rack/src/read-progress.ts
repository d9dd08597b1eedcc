import { setImmediate as turn } from "node:timers/promises";

/** Datagrams in one batch; a shorter one has left nothing behind. Few, or what they set off makes one turn last for seconds. */
export const BATCH = 64;

/** The progress of a socket's reader. */
export class ReadProgress {
  /** The longest wait for this reader, in milliseconds. */
  behindMs = 0;
  #full = 0;
  #short = 0;
  #quiet: Promise<void> | undefined;

  took(datagrams: number): void {
    if (datagrams === BATCH) this.#full++;
    else this.#short++;
  }

  /** Resolves once what has arrived by now has been read; one wait for all who ask in the same turn. */
  quiet(): Promise<void> {
    return (this.#quiet ??= this.#wait().finally(() => (this.#quiet = undefined)));
  }

  /**
   * Timers come before sockets in a turn of the event loop. A short batch has left nothing, nor have two turns without a
   * full one: what comes afterwards is for those who wait afterwards.
   */
  async #wait(): Promise<void> {
    const from = performance.now();
    const short = this.#short;
    for (let seen = -1; seen !== this.#full && short === this.#short;) {
      seen = this.#full;
      await turn();
      await turn();
    }
    this.behindMs = Math.max(this.behindMs, performance.now() - from);
  }
}
