import { FOLD, type Labels } from "@firstlight/wire/dns";
import { Arena } from "./arena.ts";

/** No such node. */
export const NONE = -1;

/** What a host's name takes up in the arena. */
const USUAL_BYTES = 32;

/** The columns of a node are adjacent, so a lookup touches one cache line. */
const FIELDS = 8;
const HASH = 0;
/** Where its name stands in the arena, and how long it is. */
const AT = 1;
const BYTES = 2;
const SETS = 3;
const ZONE = 4;
const PARENT = 5;
const CHILDREN = 6;

/**
 * Names to nodes: open addressing over typed arrays. A node is a number. Lookups allocate nothing and compare the whole
 * name, because different names may have one hash.
 */
export class NameIndex {
  count = 0;
  readonly #arena: Arena;
  #rows = new Int32Array(0);
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
      const row = node * FIELDS;
      if (this.#rows[row] !== hash || this.#rows[row + BYTES] !== length) continue; // HASH comes first
      if (this.#equals(this.#rows[row + AT]!, bytes, start, length)) return node;
    }
  }

  /** The label at which the closest enclosing node begins, `label` itself included; NONE outside every zone. */
  closest(bytes: Uint8Array, name: Labels, label = 0): number {
    for (let at = label; at <= name.count; at++) if (this.find(bytes, name, at) !== NONE) return at;
    return NONE;
  }

  /** First RRset of the node, or NONE: an empty non-terminal. */
  setsOf(node: number): number {
    return this.#rows[node * FIELDS + SETS]!;
  }

  /** Index of the zone the node is in. */
  zoneOf(node: number): number {
    return this.#rows[node * FIELDS + ZONE]!;
  }

  parentOf(node: number): number {
    return this.#rows[node * FIELDS + PARENT]!;
  }

  /** Whether a node stands right below it: an empty non-terminal stays as long as there is one. */
  hasChildren(node: number): boolean {
    return this.#rows[node * FIELDS + CHILDREN]! > 0;
  }

  setSets(node: number, sets: number): void {
    this.#rows[node * FIELDS + SETS] = sets;
  }

  setZone(node: number, zone: number): void {
    this.#rows[node * FIELDS + ZONE] = zone;
  }

  add(bytes: Uint8Array, name: Labels, label: number, parent: number, zone: number): number {
    if ((this.count + 1) * 2 > this.#slots.length) this.#rehash();
    const node = this.#free.pop() ?? this.#next++;
    if (node * FIELDS >= this.#rows.length) this.#grow((this.#rows.length / FIELDS) * 2);
    const start = name.starts[label]!;
    const length = name.at + name.bytes - start;
    const at = this.#arena.take(length);
    for (let i = 0; i < length; i++) this.#arena.bytes[at + i] = FOLD[bytes[start + i]!]!;
    this.#rows.set([name.hashes[label]!, at, length, NONE, zone, parent, 0], node * FIELDS);
    if (parent !== NONE) this.#rows[parent * FIELDS + CHILDREN]!++;
    this.#occupy(node);
    this.count++;
    return node;
  }

  remove(node: number): void {
    const row = node * FIELDS;
    const parent = this.#rows[row + PARENT]!;
    if (parent !== NONE) this.#rows[parent * FIELDS + CHILDREN]!--;
    this.#vacate(node);
    this.#arena.give(this.#rows[row + AT]!, this.#rows[row + BYTES]!);
    this.#free.push(node);
    this.count--;
  }

  #equals(at: number, bytes: Uint8Array, start: number, length: number): boolean {
    const held = this.#arena.bytes;
    for (let i = 0; i < length; i++) if (held[at + i] !== FOLD[bytes[start + i]!]) return false;
    return true;
  }

  #occupy(node: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#rows[node * FIELDS + HASH]! & mask;
    while (this.#slots[slot] !== NONE) slot = (slot + 1) & mask;
    this.#slots[slot] = node;
  }

  /** Closes the gap by moving back what probed over it: no tombstones, so a table that changes much stays fast. */
  #vacate(node: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#rows[node * FIELDS + HASH]! & mask;
    while (slots[hole] !== node) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot] !== NONE; slot = (slot + 1) & mask) {
      const home = this.#rows[slots[slot]! * FIELDS + HASH]! & mask;
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
    const rows = new Int32Array(capacity * FIELDS);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}
