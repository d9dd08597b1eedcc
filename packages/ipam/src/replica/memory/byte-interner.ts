import { HashIndex, grown } from "./hash-index.ts";
import { ByteArena } from "./byte-arena.ts";

/** Byte strings that many rows share (remote ids, circuit ids, machine names), each stored once and counted. */
export class ByteInterner extends ByteArena {
  #hash = new Uint32Array(64);
  #uses = new Uint32Array(64);
  readonly #byHash = new HashIndex((id) => this.#hash[id]!);
  /** The string added last: the next one is often the same, as for the interfaces of one machine. */
  #last = 0;

  /** The number of these bytes; counts one more use. */
  override hold(bytes: Uint8Array | undefined, start = 0, length = (bytes?.length ?? 0) - start): number {
    if (!bytes) return 0;
    if (this.#last === 0 || !this.is(this.#last, bytes, start, length)) this.#last = this.#find(bytes, start, length);
    this.#uses[this.#last]!++;
    return this.#last;
  }

  /** The number of this text, 0 if it is not held. Counts no use. */
  numberOf(text: string): number {
    const bytes = Buffer.from(text);
    return this.#numberOf(bytes, hashOfBytes(bytes, 0, bytes.length), 0, bytes.length);
  }

  override release(id: number): void {
    if (id === 0 || --this.#uses[id]! > 0) return;
    this.#byHash.drop(id);
    if (this.#last === id) this.#last = 0;
    super.release(id);
  }

  #find(bytes: Uint8Array, start: number, length: number): number {
    const hash = hashOfBytes(bytes, start, length);
    const held = this.#numberOf(bytes, hash, start, length);
    if (held !== 0) return held;
    const id = super.hold(bytes, start, length);
    if (id >= this.#hash.length) {
      this.#hash = grown(this.#hash, id);
      this.#uses = grown(this.#uses, id);
    }
    this.#hash[id] = hash;
    this.#uses[id] = 0;
    this.#byHash.add(id);
    return id;
  }

  #numberOf(bytes: Uint8Array, hash: number, start: number, length: number): number {
    for (let id = this.#byHash.first(hash); id !== -1; id = this.#byHash.next(id))
      if (this.#hash[id] === hash && this.is(id, bytes, start, length)) return id;
    return 0;
  }
}

/** FNV-1a, folded to the table's size. */
function hashOfBytes(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c_9dc5;
  for (let n = start; n < start + length; n++) hash = Math.imul(hash ^ bytes[n]!, 0x0100_0193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
