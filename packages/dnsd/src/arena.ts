/** A byte arena: blocks are taken and given back without garbage; a free block is found by its size. */
export class Arena {
  bytes: Uint8Array;
  #end = 0;
  readonly #free = new Map<number, number[]>();

  constructor(bytes: number) {
    this.bytes = new Uint8Array(bytes);
  }

  /** Offset of a block of at least `length` bytes. `bytes` may be another array afterwards. */
  take(length: number): number {
    const size = blockBytes(length);
    const again = this.#free.get(size)?.pop();
    if (again !== undefined) return again;
    const at = this.#end;
    this.#end += size;
    if (this.#end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.#end));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    return at;
  }

  give(at: number, length: number): void {
    const size = blockBytes(length);
    const free = this.#free.get(size);
    if (free) free.push(at);
    else this.#free.set(size, [at]);
  }
}

/** Multiples of 16 where names and small sets live, powers of two above: few sizes, so that free blocks are used again. */
function blockBytes(length: number): number {
  return length <= 512 ? (length + 15) & ~15 : 2 ** Math.ceil(Math.log2(length));
}
