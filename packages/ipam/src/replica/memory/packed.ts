import { type HashIndex, widened, widthFor } from "./hash-index.ts";

/** How far a consistent copy has been read, and the rows that changed ahead of it. */
interface FrozenCopy<R> {
  at: number;
  readonly end: number;
  readonly kept: Map<number, R | undefined>;
}

/**
 * How much more room than expected rows need is reserved, so that later rows copy no column for a long time. It costs nothing:
 * the kernel gives no memory for pages that were never written.
 */
const ROOM = 1.5;

/** Rows in columns, one slot a row. A row becomes an object only while it is read: 130 bytes instead of 750, measured. */
export abstract class Packed<R> {
  #top = 0;
  #live = new Uint8Array(256);
  readonly #free: number[] = [];
  #copy: FrozenCopy<R> | undefined;
  size = 0;

  /** The row in a used slot. */
  protected abstract read(slot: number): R;

  /** The indexes of the slots. */
  protected abstract readonly indexes: readonly HashIndex[];

  /** Grows the subclass's columns to this many slots. */
  protected abstract widen(width: number): void;

  /** Reserves room for expected rows and some more. */
  expect(rows: number): void {
    for (const index of this.indexes) index.spread(rows);
    this.#reserve(Math.ceil(rows * ROOM));
  }

  #reserve(slots: number): void {
    if (slots <= this.#live.length) return;
    this.#live = widened(this.#live, slots);
    this.widen(slots);
    for (const index of this.indexes) index.reserve(slots);
  }

  /** A slot for a new row. */
  protected take(): number {
    const slot = this.#free.pop() ?? this.#top++;
    if (slot >= this.#live.length) this.#reserve(widthFor(slot));
    this.changing(slot);
    this.#live[slot] = 1;
    this.size++;
    return slot;
  }

  protected give(slot: number): void {
    this.changing(slot);
    this.#live[slot] = 0;
    this.#free.push(slot);
    this.size--;
  }

  /** Called before a slot changes: an unfinished consistent copy keeps the old row. */
  protected changing(slot: number): void {
    const copy = this.#copy;
    if (!copy || slot < copy.at || slot >= copy.end || copy.kept.has(slot)) return;
    copy.kept.set(slot, this.#live[slot] === 1 ? this.read(slot) : undefined);
  }

  *all(): IterableIterator<R> {
    for (let slot = 0; slot < this.#top; slot++) if (this.#live[slot] === 1) yield this.read(slot);
  }

  /** Every row as of the call, however slowly they are read. One reader at a time. */
  frozen(): IterableIterator<R> {
    const copy = { at: 0, end: this.#top, kept: new Map<number, R | undefined>() };
    this.#copy = copy;
    return this.#from(copy);
  }

  *#from(copy: FrozenCopy<R>): IterableIterator<R> {
    try {
      while (copy.at < copy.end) {
        const slot = copy.at++;
        const row = copy.kept.has(slot) ? copy.kept.get(slot) : this.#live[slot] === 1 ? this.read(slot) : undefined;
        if (row !== undefined) yield row;
      }
    } finally {
      if (this.#copy === copy) this.#copy = undefined;
    }
  }
}
