import { Arena } from "./arena.ts";

/** What an address or a host's name takes up, compiled. */
const USUAL_BYTES = 48;

/** Columns of a set, side by side. */
const FIELDS = 4;
/** Type in the high half, number of records in the low one. */
const TYPE_AND_COUNT = 0;
/** Next set of the same node. */
const NEXT = 1;
const AT = 2;
const BYTES = 3;

/** RRsets, compiled: each record stands as it goes on the wire, but for its owner, which is a pointer into the reply. */
export class RrSets {
  readonly arena: Arena;
  #rows: Int32Array<ArrayBuffer>;
  readonly #free: number[] = [];
  #used = 0;

  constructor(capacity = 256) {
    this.arena = new Arena(capacity * USUAL_BYTES);
    this.#rows = new Int32Array(capacity * FIELDS);
  }

  /** The set of this type in the chain that begins at `head`, or −1. */
  find(head: number, type: number): number {
    let set = head;
    while (set >= 0 && this.#rows[set * FIELDS]! >>> 16 !== type) set = this.#rows[set * FIELDS + NEXT]!;
    return set;
  }

  /** Where its records stand in the arena. */
  at(set: number): number {
    return this.#rows[set * FIELDS + AT]!;
  }

  bytes(set: number): number {
    return this.#rows[set * FIELDS + BYTES]!;
  }

  /** How many records it has. */
  count(set: number): number {
    return this.#rows[set * FIELDS + TYPE_AND_COUNT]! & 0xffff;
  }

  /** Adds a set before `head` and returns it: the new head. */
  add(head: number, type: number, compiled: Uint8Array, count: number): number {
    const set = this.#free.pop() ?? this.#used++;
    if (set * FIELDS >= this.#rows.length) this.#grow();
    const at = this.arena.take(compiled.length);
    this.arena.bytes.set(compiled, at);
    this.#rows.set([(type << 16) | count, head, at, compiled.length], set * FIELDS);
    return set;
  }

  /** Frees a whole chain. */
  drop(head: number): void {
    for (let set = head; set >= 0; set = this.#rows[set * FIELDS + NEXT]!) {
      this.arena.give(this.at(set), this.bytes(set));
      this.#free.push(set);
    }
  }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}
