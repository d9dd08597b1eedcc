import { FOLD, type Labels } from "@firstlight/wire/dns";
import { Arena } from "./arena.ts";

/** No such node. */
export const NONE = -1;

/** What a host's name takes up in the arena. */
const USUAL_BYTES = 32;

/**
 * Names to nodes: open addressing over typed arrays. A node is a number; each column says one thing about it. Lookups
 * allocate nothing and compare the whole name, for hashes are no proof.
 */
export class Names {
  /** First RRset of the node, or NONE: an empty non-terminal. */
  sets = new Int32Array(0);
  /** Index of the zone the node is in. */
  zone = new Int32Array(0);
  parent = new Int32Array(0);
  /** How many nodes stand right below it: an empty non-terminal lives as long as it has any. */
  children = new Int32Array(0);
  count = 0;
  readonly #arena: Arena;
  #at = new Int32Array(0);
  #bytes = new Uint8Array(0);
  #hash = new Int32Array(0);
  #slots: Int32Array<ArrayBuffer>;
  readonly #free: number[] = [];
  #next = 0;

  constructor(capacity = 1024) {
    this.#slots = new Int32Array(capacity * 2).fill(NONE);
    this.#arena = new Arena(capacity * USUAL_BYTES);
    this.#grow(capacity);
  }

  /** The node of the suffix that begins at `label`, or NONE. `bytes` is where the labels were read from. */
  find(bytes: Uint8Array, name: Labels, label: number): number {
    const hash = name.hashes[label]!;
    const start = name.starts[label]!;
    const length = name.at + name.bytes - start;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const node = this.#slots[slot]!;
      if (node === NONE) return NONE;
      if (this.#hash[node] === hash && this.#bytes[node] === length && this.#equals(node, bytes, start, length)) {
        return node;
      }
    }
  }

  /** The label at which the closest enclosing node begins, `label` itself included; NONE outside every zone. */
  closest(bytes: Uint8Array, name: Labels, label = 0): number {
    for (let at = label; at <= name.count; at++) if (this.find(bytes, name, at) !== NONE) return at;
    return NONE;
  }

  add(bytes: Uint8Array, name: Labels, label: number, parent: number, zone: number): number {
    if ((this.count + 1) * 2 > this.#slots.length) this.#rehash();
    const node = this.#free.pop() ?? this.#next++;
    if (node >= this.sets.length) this.#grow(this.sets.length * 2);
    const start = name.starts[label]!;
    const length = name.at + name.bytes - start;
    const at = this.#arena.take(length);
    for (let i = 0; i < length; i++) this.#arena.bytes[at + i] = FOLD[bytes[start + i]!]!;
    this.#at[node] = at;
    this.#bytes[node] = length;
    this.#hash[node] = name.hashes[label]!;
    this.sets[node] = NONE;
    this.zone[node] = zone;
    this.parent[node] = parent;
    this.children[node] = 0;
    if (parent !== NONE) this.children[parent]!++;
    this.#occupy(node);
    this.count++;
    return node;
  }

  remove(node: number): void {
    const parent = this.parent[node]!;
    if (parent !== NONE) this.children[parent]!--;
    this.#vacate(node);
    this.#arena.give(this.#at[node]!, this.#bytes[node]!);
    this.#free.push(node);
    this.count--;
  }

  #equals(node: number, bytes: Uint8Array, start: number, length: number): boolean {
    const held = this.#arena.bytes;
    const at = this.#at[node]!;
    for (let i = 0; i < length; i++) if (held[at + i] !== FOLD[bytes[start + i]!]) return false;
    return true;
  }

  #occupy(node: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash[node]! & mask;
    while (this.#slots[slot] !== NONE) slot = (slot + 1) & mask;
    this.#slots[slot] = node;
  }

  /** Closes the gap by moving back what probed over it: no tombstones, so a table that changes much stays fast. */
  #vacate(node: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#hash[node]! & mask;
    while (slots[hole] !== node) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot] !== NONE; slot = (slot + 1) & mask) {
      const home = this.#hash[slots[slot]!]! & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue; // it would land before its home
      slots[hole] = slots[slot]!;
      hole = slot;
    }
    slots[hole] = NONE;
  }

  #rehash(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2).fill(NONE);
    for (const node of old) if (node !== NONE) this.#occupy(node);
  }

  #grow(capacity: number): void {
    const grown = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const column = new Int32Array(capacity);
      column.set(old);
      return column;
    };
    this.sets = grown(this.sets);
    this.zone = grown(this.zone);
    this.parent = grown(this.parent);
    this.children = grown(this.children);
    this.#at = grown(this.#at);
    this.#hash = grown(this.#hash);
    const bytes = new Uint8Array(capacity);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
