import { type Chains, widened, widthFor } from "./chains.ts";

/** How far a frozen state has been taken, and what changed ahead of that. */
interface Reading<R> {
  at: number;
  readonly end: number;
  readonly kept: Map<number, R | undefined>;
}

/**
 * So much room is made for rows that are expected, so that those after them copy no column for a long time. It costs nothing:
 * memory that nobody has written to is not there yet.
 */
const ROOM = 1.5;

/** Rows in columns, one slot each. A row is an object only while somebody looks at it: measured, 130 bytes instead of 750. */
export abstract class Packed<R> {
  #top = 0;
  #live = new Uint8Array(256);
  readonly #free: number[] = [];
  #reading: Reading<R> | undefined;
  size = 0;

  /** The row of a slot that has one. */
  protected abstract read(slot: number): R;

  /** What its slots are found by. */
  protected abstract readonly chains: readonly Chains[];

  /** Gives the columns of the subclass room for so many slots. */
  protected abstract widen(width: number): void;

  /** Room for rows that are about to come, and for those after them. */
  expect(rows: number): void {
    for (const chains of this.chains) chains.spread(rows);
    this.#reserve(Math.ceil(rows * ROOM));
  }

  #reserve(slots: number): void {
    if (slots <= this.#live.length) return;
    this.#live = widened(this.#live, slots);
    this.widen(slots);
    for (const chains of this.chains) chains.reserve(slots);
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

  /** Before a slot's columns change: whoever reads a frozen state keeps what was there. */
  protected changing(slot: number): void {
    const reading = this.#reading;
    if (!reading || slot < reading.at || slot >= reading.end || reading.kept.has(slot)) return;
    reading.kept.set(slot, this.#live[slot] === 1 ? this.read(slot) : undefined);
  }

  *all(): IterableIterator<R> {
    for (let slot = 0; slot < this.#top; slot++) if (this.#live[slot] === 1) yield this.read(slot);
  }

  /** Every row as of now, however slowly they are taken. One reader at a time. */
  frozen(): IterableIterator<R> {
    const reading = { at: 0, end: this.#top, kept: new Map<number, R | undefined>() };
    this.#reading = reading;
    return this.#from(reading);
  }

  *#from(reading: Reading<R>): IterableIterator<R> {
    try {
      while (reading.at < reading.end) {
        const slot = reading.at++;
        const row = reading.kept.has(slot)
          ? reading.kept.get(slot)
          : this.#live[slot] === 1
            ? this.read(slot)
            : undefined;
        if (row !== undefined) yield row;
      }
    } finally {
      if (this.#reading === reading) this.#reading = undefined;
    }
  }
}
