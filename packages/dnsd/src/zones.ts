import type { Soa } from "@firstlight/ipam";
import { isMalformed, type Malformed, Writer } from "@firstlight/wire";
import { encodeData, type Labels, labels, nameBytes, readLabels, TYPES } from "@firstlight/wire/dns";
import { Names, NONE } from "./names.ts";
import { compile, MAX_SET_BYTES, rdataOf, type RecordText, typeOf } from "./record.ts";
import { Sets } from "./sets.ts";

/** A zone as it is declared; `minimumSeconds` is how long a "no" may be kept (RFC 2308 §4). */
export interface ZoneText {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly soa: Soa;
}

/** A zone ready to serve. Both forms of its SOA are compiled; the serial is written in as they are sent. */
export interface Zone {
  readonly name: string;
  readonly apex: number;
  /** Labels of its name: tells where the apex begins in any name below it. */
  readonly labels: number;
  readonly soa: Uint8Array;
  /** The SOA of a "no": its TTL is the lesser of its own and the minimum (RFC 2308 §3). */
  readonly negativeSoa: Uint8Array;
}

/** Where the serial stands in a compiled SOA, from its end (RFC 1035 §3.3.13). */
export const SERIAL_FROM_END = 20;

/** Something that could not be served, and why: counted and logged, never in the way of the rest. */
export interface Rejected {
  readonly owner: string;
  readonly fault: string;
}

/**
 * Every zone of the site, ready to answer from: one index of names over all of them, and what each name holds as bytes.
 * Putting a name in the place of what was there is one step of its own size, whatever the size of the zone.
 */
export class Zones {
  readonly names: Names;
  readonly sets: Sets;
  readonly zones: readonly Zone[];
  /** Of this process: names come from tenants, who must not choose where they fall. */
  readonly seed: number;
  /** Of every zone: low 32 bits of the feed's position. */
  serial = 0;
  /** Zones whose name DNS cannot carry. */
  readonly rejected: Rejected[] = [];
  readonly #name: Labels = labels();
  readonly #apexes = new Set<number>();

  /** `names` is how many are expected: room for them is made at once. */
  constructor(zones: readonly ZoneText[], seed: number, names = 0) {
    this.seed = seed;
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(1024, names)));
    this.names = new Names(capacity);
    this.sets = new Sets(capacity);
    const outermostFirst = [...zones].toSorted((a, b) => a.name.split(".").length - b.name.split(".").length);
    const opened: Zone[] = [];
    for (const text of outermostFirst) {
      const zone = this.#open(text, opened.length);
      if (isMalformed(zone)) this.rejected.push({ owner: text.name, fault: zone.because });
      else opened.push(zone);
    }
    this.zones = opened;
  }

  /** Puts these records in the place of all that `owner` had; none removes it. */
  put(owner: string, records: readonly RecordText[]): Rejected[] {
    const wire = nameBytes(owner);
    if (isMalformed(wire)) return [{ owner, fault: wire.because }];
    readLabels(wire, 0, wire.length, this.seed, this.#name);
    const compiled = compileSets(owner, records);
    if (compiled.sets.size > 0) {
      const node = this.#path(wire);
      if (node === NONE) return [{ owner, fault: "outside every zone" }];
      this.#replace(node, compiled.sets);
    } else {
      const node = this.names.find(wire, this.#name, 0);
      if (node !== NONE) this.#clear(node);
    }
    return compiled.rejected;
  }

  #open({ name, ttlSeconds, soa }: ZoneText, index: number): Zone | Malformed {
    const wire = nameBytes(name);
    const rdata = encodeData({ is: "SOA", serial: 0, ...soa });
    if (isMalformed(wire)) return wire;
    if (isMalformed(rdata)) return rdata;
    readLabels(wire, 0, wire.length, this.seed, this.#name);
    const existing = this.#path(wire);
    const apex = existing === NONE ? this.names.add(wire, this.#name, 0, NONE, index) : existing;
    this.names.belongs(apex, index);
    this.#apexes.add(apex);
    return {
      name,
      apex,
      labels: this.#name.count,
      soa: compile(TYPES.of.SOA, ttlSeconds, rdata),
      negativeSoa: compile(TYPES.of.SOA, Math.min(ttlSeconds, soa.minimumSeconds), rdata),
    };
  }

  /** The node of the name just read, made where it is not there, with the empty non-terminals above it. */
  #path(wire: Uint8Array): number {
    const { names } = this;
    const nearest = names.closest(wire, this.#name);
    if (nearest === NONE) return NONE;
    let node = names.find(wire, this.#name, nearest);
    for (let label = nearest - 1; label >= 0; label--)
      node = names.add(wire, this.#name, label, node, names.zoneOf(node));
    return node;
  }

  #replace(node: number, compiled: ReadonlyMap<number, readonly Uint8Array[]>): void {
    this.sets.drop(this.names.setsOf(node));
    let head = NONE;
    for (const [type, records] of compiled) {
      const writer = new Writer(records.reduce((sum, record) => sum + record.length, 0));
      for (const record of records) writer.put(record);
      head = this.sets.add(head, type, writer.done(), records.length);
    }
    this.names.holds(node, head);
  }

  /** Empties a node; it goes, and every empty non-terminal above it that has nothing else below. */
  #clear(leaf: number): void {
    const { names } = this;
    this.sets.drop(names.setsOf(leaf));
    names.holds(leaf, NONE);
    let node = leaf;
    while (node !== NONE && names.setsOf(node) === NONE && !names.hasChildren(node) && !this.#apexes.has(node)) {
      const parent = names.parentOf(node);
      names.remove(node);
      node = parent;
    }
  }
}

interface Compiled {
  readonly sets: ReadonlyMap<number, readonly Uint8Array[]>;
  readonly rejected: Rejected[];
}

/** Records by type. One TTL per RRset: the least (RFC 2181 §5.2). */
function compileSets(owner: string, records: readonly RecordText[]): Compiled {
  const sets = new Map<number, Uint8Array[]>();
  const rejected: Rejected[] = [];
  for (const record of records) {
    const type = typeOf(record);
    const rdata = rdataOf(record);
    if (isMalformed(rdata)) {
      rejected.push({ owner, fault: `${record.type}: ${rdata.because}` });
      continue;
    }
    const ttlSeconds = Math.min(
      ...records.filter((other) => other.type === record.type).map((other) => other.ttlSeconds),
    );
    const compiled = compile(type, ttlSeconds, rdata);
    const set = sets.get(type) ?? [];
    if (set.reduce((sum, one) => sum + one.length + 2, 0) + compiled.length > MAX_SET_BYTES) {
      rejected.push({ owner, fault: `${record.type}: the set is too long to be sent` });
    } else sets.set(type, [...set, compiled]);
  }
  return { sets, rejected };
}
