import { type Address, addressFrom, isMalformed, type Mac } from "@firstlight/wire";
import type { Interner } from "./interner.ts";

const MAX_FIELDS = 32;
/** The most bytes of one field. Real fields are numbers and short texts. */
const MOST_BYTES = 1 << 20;
const NULL = -1;
/** The trailer of COPY: this number in place of a tuple's field count. */
export const END = -1;
const PGSQL_AF_INET = 2; // an IPv6 address has 3
const INET_HEAD = 4; // family, bits, is_cidr, length
/** PostgreSQL counts microseconds from 2000-01-01, this code milliseconds from 1970-01-01. */
const EPOCH_MS = 946_684_800_000;

/** Stores copies of byte strings, each under a number above 0. */
export interface ByteStore {
  hold(bytes: Uint8Array, start: number, length: number): number;
}

/**
 * A cursor over tuples of PostgreSQL's binary format, read in place: `int16 fields`, then for each field `int32 length`
 * (-1: NULL) and its bytes, big-endian. `next` moves to the following tuple; the other methods read its fields.
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

  /** Moves to the next tuple. False, with nothing read, if there is no complete one. */
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

  /** Bytes read so far; every tuple before this offset was complete. */
  get at(): number {
    return this.#at;
  }

  has(field: number): boolean {
    return this.#lengths[field] !== NULL;
  }

  int32(field: number): number {
    return this.#view.getInt32(this.#starts[field]!);
  }

  /** A bigint as a number: ids, versions and times are below 2^53. */
  int64(field: number): number {
    const at = this.#starts[field]!;
    return this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4);
  }

  /** Whole milliseconds since 1970, as in the feed. */
  time(field: number): number {
    return Math.floor(this.int64(field) / 1000) + EPOCH_MS;
  }

  mac(field: number): Mac {
    const at = this.#starts[field]!;
    return this.#view.getUint16(at) * 0x1_0000_0000 + this.#view.getUint32(at + 2);
  }

  isIPv4(field: number): boolean {
    return this.#bytes[this.#starts[field]!] === PGSQL_AF_INET;
  }

  ipv4(field: number): number {
    return this.#view.getUint32(this.#starts[field]! + INET_HEAD);
  }

  address(field: number): Address {
    const start = this.#starts[field]!;
    const address = addressFrom(this.#bytes.subarray(start + INET_HEAD, start + this.#lengths[field]!));
    if (isMalformed(address)) throw new Error(`the database holds ${address.because}`);
    return address;
  }

  /** The mask length of an `inet` field; undefined where it is the whole address. */
  maskLength(field: number): number | undefined {
    const bits = this.#bytes[this.#starts[field]! + 1]!;
    return bits === (this.#lengths[field]! - INET_HEAD) * 8 ? undefined : bits;
  }

  text(field: number): string {
    const start = this.#starts[field]!;
    return this.#bytes.toString("utf8", start, start + this.#lengths[field]!);
  }

  /** The number of the field's text in this interner, -1 if it has none. */
  interned(field: number, interner: Interner): number {
    return interner.find(this.#bytes, this.#starts[field]!, this.#lengths[field]!);
  }

  /** The number under which the field's bytes are stored, 0 for NULL. */
  stored(field: number, store: ByteStore): number {
    const length = this.#lengths[field]!;
    return length === NULL ? 0 : store.hold(this.#bytes, this.#starts[field]!, length);
  }

  /** The field's bytes in place; the caller copies what it keeps. */
  bytes(field: number): Uint8Array {
    const start = this.#starts[field]!;
    return this.#bytes.subarray(start, start + this.#lengths[field]!);
  }
}
