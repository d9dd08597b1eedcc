import { Malformed } from "@firstlight/wire";

/** Far beyond any question with its options; a longer one is no DNS query. */
export const MAX_QUERY_BYTES = 4096;

/** Queries out of a stream: each is preceded by its length in two octets (RFC 1035 §4.2.2), in chunks of any size. */
export class Frames {
  #held: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** The chunk is kept, not copied, until its queries are taken. */
  push(chunk: Uint8Array): void {
    const rest = this.#held.subarray(this.#at);
    this.#at = 0;
    if (rest.length === 0) {
      this.#held = chunk;
      return;
    }
    this.#held = new Uint8Array(rest.length + chunk.length);
    this.#held.set(rest);
    this.#held.set(chunk, rest.length);
  }

  /** The next whole query, `undefined` when more must come first. */
  next(): Uint8Array | Malformed<"query-too-long"> | undefined {
    const left = this.#held.length - this.#at;
    if (left < 2) return undefined;
    const length = (this.#held[this.#at]! << 8) | this.#held[this.#at + 1]!;
    if (length > MAX_QUERY_BYTES) return new Malformed("query-too-long");
    if (left < 2 + length) return undefined;
    const query = this.#held.subarray(this.#at + 2, this.#at + 2 + length);
    this.#at += 2 + length;
    return query;
  }
}
