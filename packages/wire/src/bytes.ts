/** Reads big-endian fields in order. Past the end it reads zeros and remembers: check `overrun` once, at the end. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  overrun = false;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.#take(1) ? this.bytes[this.at - 1]! : 0;
  }

  u16(): number {
    return this.#take(2) ? (this.bytes[this.at - 2]! << 8) | this.bytes[this.at - 1]! : 0;
  }

  u32(): number {
    if (!this.#take(4)) return 0;
    const { bytes, at } = this;
    return ((bytes[at - 4]! << 24) | (bytes[at - 3]! << 16) | (bytes[at - 2]! << 8) | bytes[at - 1]!) >>> 0;
  }

  /** A view of the next `length` bytes; empty past the end. */
  take(length: number): Uint8Array {
    return this.#take(length) ? this.bytes.subarray(this.at - length, this.at) : new Uint8Array(0);
  }

  #take(length: number): boolean {
    if (this.left < length) {
      this.overrun = true;
      this.at = this.end;
      return false;
    }
    this.at += length;
    return true;
  }
}

/** Up to here a loop copies sooner than `set` does. */
const SHORT = 32;

/** Writes big-endian fields in order into a buffer of fixed size. Past the end it drops and remembers in `overrun`. */
export class Writer {
  readonly bytes: Uint8Array;
  at = 0;
  overrun = false;

  constructor(size: number | Uint8Array) {
    this.bytes = typeof size === "number" ? new Uint8Array(size) : size;
  }

  u8(value: number): this {
    if (this.#room(1)) this.bytes[this.at++] = value;
    return this;
  }

  u16(value: number): this {
    return this.u8(value >>> 8).u8(value);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value);
  }

  put(bytes: Uint8Array): this {
    const { length } = bytes;
    if (!this.#room(length)) return this;
    if (length > SHORT) this.bytes.set(bytes, this.at);
    else for (let i = 0; i < length; i++) this.bytes[this.at + i] = bytes[i]!;
    this.at += length;
    return this;
  }

  /** What was written, as a view. */
  done(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }

  #room(length: number): boolean {
    if (this.at + length <= this.bytes.length) return true;
    this.overrun = true;
    return false;
  }
}
