import type { Clock } from "@firstlight/service";
import type { CachedArtefact } from "./artefact-cache.ts";

/** Whole answers up to this size are kept with their heads, for a second each. */
const SMALL_BYTES = 64 * 1024;

interface Made {
  readonly second: number;
  readonly bytes: Buffer;
}

/** Writes the same answer headers as the HTTP server. */
export class RawAnswers {
  readonly #clock: Clock;
  readonly #keepAlive: string;
  readonly #made = new WeakMap<CachedArtefact, Made>();
  #second = -1;
  #date = "";

  constructor(clock: Clock, { keepAliveSeconds, mostRequests }: { keepAliveSeconds: number; mostRequests: number }) {
    this.#clock = clock;
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}, max=${mostRequests}\r\n\r\n`;
  }

  /** The whole answer of a small artefact on a connection that stays open; `undefined` if it must be sent in parts. */
  whole(artefact: CachedArtefact): Buffer | undefined {
    if (artefact.content.length > SMALL_BYTES) return undefined;
    const second = this.#updateDate();
    let made = this.#made.get(artefact);
    if (made?.second !== second) {
      made = { second, bytes: Buffer.concat([this.head(artefact, false), artefact.content]) };
      this.#made.set(artefact, made);
    }
    return made.bytes;
  }

  head({ headers }: CachedArtefact, isLast: boolean): Buffer {
    this.#updateDate();
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    const end = isLast ? "Connection: close\r\n\r\n" : this.#keepAlive;
    return Buffer.from(`HTTP/1.1 200 OK\r\n${fields.join("")}Date: ${this.#date}\r\n${end}`, "latin1");
  }

  #updateDate(): number {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = new Date(second * 1000).toUTCString();
    }
    return second;
  }
}
