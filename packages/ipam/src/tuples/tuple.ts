import { type Address, addressFrom, isMalformed, type Mac } from "@firstlight/wire";
import type { Words } from "./words.ts";

const MAX_FIELDS = 32;
/** A tuple is a row's head and a few short texts: more is no row of ours. */
const MOST_BYTES = 1 << 20;
const NULL = -1;
/** In a tuple's place: there are no more. */
export const END = -1;
const FOUR = 2; // PGSQL_AF_INET; an IPv6 address has 3
const INET_HEAD = 4; // family, bits, is_cidr, length
/** PostgreSQL counts microseconds from 2000-01-01, we milliseconds from 1970-01-01. */
const EPOCH_MS = 946_684_800_000;

/** Who keeps a copy of bytes, each under a number above 0. */
export interface Keeper {
  hold(bytes: Uint8Array, start: number, length: number): number;
}

/**
 * One tuple of PostgreSQL's binary format at a time, read where it lies: `int16 fields`, then of each field `int32 length`
 * (-1: NULL) and its bytes. `next` goes to the one that follows; the rest says what its fields hold. All big-endian.
 */
export class Tuple {
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  readonly #starts = new Int32Array(MAX_FIELDS);
  readonly #lengths = new Int32Array(MAX_FIELDS);

  over(bytes: Uint8Array): this {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    return this;
  }

  /** Goes to the next tuple. False where there is none that is whole: then nothing was read. */
  next(): boolean {
    const view = this.#view;
    const size = view.byteLength;
    let at = this.#at;
    if (at + 2 > size) return false;
    const fields = view.getInt16(at);
    if (fields === END) return false;
    if (fields > MAX_FIELDS || fields < 0) throw new Error(`a tuple of ${fields} fields`);
    at += 2;
    for (let n = 0; n < fields; n++) {
      if (at + 4 > size) return false;
      const length = view.getInt32(at);
      if (length > MOST_BYTES) throw new Error(`a field of ${length} bytes`);
      at += 4;
      this.#starts[n] = at;
      this.#lengths[n] = length;
      if (length > 0) at += length;
      if (at > size) return false;
    }
    for (let n = fields; n < MAX_FIELDS; n++) this.#lengths[n] = NULL;
    this.#at = at;
    return true;
  }

  /** Bytes read so far: all tuples before this place were whole. */
  get at(): number {
    return this.#at;
  }

  has(field: number): boolean {
    return this.#lengths[field] !== NULL;
  }

  int32(field: number): number {
    return this.#view.getInt32(this.#starts[field]!);
  }

  /** Up to 2^53: ids, versions and times stay far below. */
  int64(field: number): number {
    const at = this.#starts[field]!;
    return this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
  }

  /** Milliseconds since 1970, whole ones, as the feed has them. */
  time(field: number): number {
    return Math.floor(this.int64(field) / 1000) + EPOCH_MS;
  }

  mac(field: number): Mac {
    const at = this.#starts[field]!;
    return this.#view.getUint16(at) * 0x1_0000_0000 + this.#view.getUint32(at + 2);
  }

  isIPv4(field: number): boolean {
    return this.#bytes[this.#starts[field]!] === FOUR;
  }

  /** Of a field that is one. */
  ipv4(field: number): number {
    return this.#view.getUint32(this.#starts[field]! + INET_HEAD);
  }

  address(field: number): Address {
    const start = this.#starts[field]!;
    const address = addressFrom(this.#bytes.subarray(start + INET_HEAD, start + this.#lengths[field]!));
    if (isMalformed(address)) throw new Error(`the database holds ${address.because}`);
    return address;
  }

  text(field: number): string {
    const start = this.#starts[field]!;
    return this.#bytes.toString("utf8", start, start + this.#lengths[field]!);
  }

  /** The number of a word among these, -1 for one they do not have. */
  word(field: number, words: Words): number {
    return words.find(this.#bytes, this.#starts[field]!, this.#lengths[field]!);
  }

  /** The number under which the keeper holds the field's bytes, 0 for NULL. */
  held(field: number, keeper: Keeper): number {
    const length = this.#lengths[field]!;
    return length === NULL ? 0 : keeper.hold(this.#bytes, this.#starts[field]!, length);
  }

  /** The field's bytes where they lie; whoever keeps them copies them. */
  bytes(field: number): Uint8Array {
    const start = this.#starts[field]!;
    return this.#bytes.subarray(start, start + this.#lengths[field]!);
  }
}
