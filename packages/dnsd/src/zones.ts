import type { Soa } from "@firstlight/ipam";
import { isMalformed, type Malformed, Writer } from "@firstlight/wire";
import {
  type DomainName,
  hashName,
  type Labels,
  labels,
  MAX_NAME_BYTES,
  type NameText,
  nameText,
  parseName,
  readName,
  TYPES,
  writeName,
} from "@firstlight/wire/dns";
import { NameIndex, NONE } from "./name-index.ts";
import { compile, MAX_SET_BYTES, type ServedRecord } from "./record.ts";
import { RrSets } from "./rrsets.ts";

/** A zone as the site declares it; `soa.minimumSeconds` is how long a negative answer may be kept (RFC 2308 §4). */
export interface DeclaredZone {
  readonly name: NameText;
  readonly ttlSeconds: number;
  readonly soa: Soa;
}

/** A zone ready to serve. Both forms of its SOA are compiled; the serial is written in as they are sent. */
export interface Zone {
  readonly name: NameText;
  readonly apex: number;
  /** Labels of its name: by them the apex is found in any name below it. */
  readonly labels: number;
  readonly soa: Uint8Array;
  /** The SOA of a negative answer: its TTL is the lesser of its own and the minimum (RFC 2308 §3). */
  readonly negativeSoa: Uint8Array;
}

/** Where the serial stands in a compiled SOA, from its end (RFC 1035 §3.3.13). */
export const SERIAL_FROM_END = 20;

/** A name with a record that cannot be served, and why: counted and logged; the other records are served. */
export interface Rejected {
  readonly owner: NameText;
  readonly fault: string;
}

/**
 * Every zone of the site, ready to answer from: one index of names over all of them, and what each name holds as bytes.
 * Putting a name in the place of what was there is one step of its own size, whatever the size of the zone.
 */
export class Zones {
  readonly names: NameIndex;
  readonly sets: RrSets;
  readonly zones: readonly Zone[];
  /** Seeds the hashes; random for each process, so that tenants cannot choose names that collide. */
  readonly seed: number;
  /** Of every zone: low 32 bits of the feed's position. */
  serial = 0;
  /** Zones whose name DNS cannot carry. */
  readonly rejected: Rejected[] = [];
  /** The name being placed, and where its labels stand. */
  readonly #wire = new Uint8Array(MAX_NAME_BYTES);
  readonly #name: Labels = labels();
  readonly #apexes = new Set<number>();

  /** `names` is how many are expected: room for them is made at once. */
  constructor(zones: readonly DeclaredZone[], seed: number, names = 0) {
    this.seed = seed;
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(1024, names)));
    this.names = new NameIndex(capacity);
    this.sets = new RrSets(capacity);
    const outermostFirst = [...zones].toSorted((a, b) => a.name.split(".").length - b.name.split(".").length);
    const opened: Zone[] = [];
    for (const text of outermostFirst) {
      const zone = this.#open(text, opened.length);
      if (isMalformed(zone)) this.rejected.push({ owner: text.name, fault: zone.because });
      else opened.push(zone);
    }
    this.zones = opened;
  }

  /** Puts these records in place of all that `owner` had; without records it is removed. */
  put(owner: DomainName, records: readonly ServedRecord[]): Rejected[] {
    this.#read(owner);
    const compiled = compileSets(owner, records);
    if (compiled.sets.size > 0) {
      const node = this.#path();
      if (node === NONE) return [{ owner: nameText(owner), fault: "outside every zone" }];
      this.#replace(node, compiled.sets);
    } else {
      const node = this.names.find(this.#wire, this.#name, 0);
      if (node !== NONE) this.#clear(node);
    }
    return compiled.rejected;
  }

  #read(name: DomainName): void {
    readName(this.#wire, 0, writeName(name, this.#wire, 0), "refuse", this.#name);
    hashName(this.#wire, this.seed, this.#name);
  }

  #open({ name, ttlSeconds, soa }: DeclaredZone, index: number): Zone | Malformed {
    const parsed = parseName(name);
    if (isMalformed(parsed)) return parsed;
    const records = compileSoas(soa, ttlSeconds);
    if (isMalformed(records)) return records;
    this.#read(parsed);
    const existing = this.#path();
    const apex = existing === NONE ? this.names.add(this.#wire, this.#name, 0, NONE, index) : existing;
    this.names.setZone(apex, index);
    this.#apexes.add(apex);
    return {
      name,
      apex,
      labels: this.#name.count,
      ...records,
    };
  }

  /** The node of the name just read, made where it is not there, with the empty non-terminals above it. */
  #path(): number {
    const { names } = this;
    const nearest = names.closest(this.#wire, this.#name);
    if (nearest === NONE) return NONE;
    let node = names.find(this.#wire, this.#name, nearest);
    for (let label = nearest - 1; label >= 0; label--)
      node = names.add(this.#wire, this.#name, label, node, names.zoneOf(node));
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
    this.names.setSets(node, head);
  }

  /** Empties a node; it is removed, and every empty non-terminal above it that has no other name below. */
  #clear(leaf: number): void {
    const { names } = this;
    this.sets.drop(names.setsOf(leaf));
    names.setSets(leaf, NONE);
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
function compileSets(owner: DomainName, records: readonly ServedRecord[]): Compiled {
  const sets = new Map<number, Uint8Array[]>();
  const rejected: Rejected[] = [];
  for (const { type, data } of records) {
    const ttlSeconds = Math.min(...records.filter((other) => other.type === type).map((other) => other.ttlSeconds));
    const compiled = isMalformed(data) ? data : compile(data, ttlSeconds);
    if (isMalformed(compiled)) {
      rejected.push({ owner: nameText(owner), fault: `${type}: ${compiled.because}` });
      continue;
    }
    const set = sets.get(TYPES.of[type]) ?? [];
    if (set.reduce((sum, one) => sum + one.length + 2, 0) + compiled.length > MAX_SET_BYTES) {
      rejected.push({ owner: nameText(owner), fault: `${type}: the set is too long to be sent` });
    } else sets.set(TYPES.of[type], [...set, compiled]);
  }
  return { sets, rejected };
}

/** Both forms of a zone's SOA, the serial 0. */
function compileSoas(soa: Soa, ttlSeconds: number): Pick<Zone, "soa" | "negativeSoa"> | Malformed {
  const [mname, rname] = [parseName(soa.mname), parseName(soa.rname)];
  if (isMalformed(mname)) return mname;
  if (isMalformed(rname)) return rname;
  const data = { is: "SOA", serial: 0, ...soa, mname, rname } as const;
  const positive = compile(data, ttlSeconds);
  if (isMalformed(positive)) return positive;
  const negative = compile(data, Math.min(ttlSeconds, soa.minimumSeconds));
  return isMalformed(negative) ? negative : { soa: positive, negativeSoa: negative };
}
