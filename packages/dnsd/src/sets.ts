import { Arena } from "./arena.ts";

/** What an address or a host's name takes up, compiled. */
const USUAL_BYTES = 48;

/** RRsets, compiled: each record stands as it goes on the wire, but for its owner, which is a pointer into the reply. */
export class Sets {
  readonly arena: Arena;
  type = new Uint16Array(0);
  /** Next set of the same node. */
  next = new Int32Array(0);
  at = new Int32Array(0);
  bytes = new Int32Array(0);
  /** Records in the set. */
  count = new Uint16Array(0);
  readonly #free: number[] = [];
  #used = 0;

  constructor(capacity = 256) {
    this.arena = new Arena(capacity * USUAL_BYTES);
    this.#grow(capacity);
  }

  /** The set of this type in the chain that begins at `head`, or −1. */
  find(head: number, type: number): number {
    let set = head;
    while (set >= 0 && this.type[set] !== type) set = this.next[set]!;
    return set;
  }

  /** Adds a set before `head` and returns it: the new head. */
  add(head: number, type: number, compiled: Uint8Array, count: number): number {
    const set = this.#free.pop() ?? this.#used++;
    if (set >= this.type.length) this.#grow(this.type.length * 2);
    const at = this.arena.take(compiled.length);
    this.arena.bytes.set(compiled, at);
    this.type[set] = type;
    this.next[set] = head;
    this.at[set] = at;
    this.bytes[set] = compiled.length;
    this.count[set] = count;
    return set;
  }

  /** Gives a whole chain back. */
  drop(head: number): void {
    for (let set = head; set >= 0; set = this.next[set]!) {
      this.arena.give(this.at[set]!, this.bytes[set]!);
      this.#free.push(set);
    }
  }

  #grow(capacity: number): void {
    const small = (old: Uint16Array): Uint16Array<ArrayBuffer> => {
      const column = new Uint16Array(capacity);
      column.set(old);
      return column;
    };
    const wide = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const column = new Int32Array(capacity);
      column.set(old);
      return column;
    };
    this.type = small(this.type);
    this.count = small(this.count);
    this.next = wide(this.next);
    this.at = wide(this.at);
    this.bytes = wide(this.bytes);
  }
}
