import assert from "node:assert/strict";
import type { ClientIdentity } from "../../model/identity.ts";
import { readId } from "../../model/key.ts";
import { IDENTIFICATIONS, INTERFACE_STATES, ROLES } from "../../fields/lists.ts";
import type { Interface, Role } from "../../model/model.ts";
import { INTERFACE, isPlain } from "../../tuples/columns.ts";
import type { Tuple } from "../../tuples/tuple.ts";
import { Interner } from "../../tuples/interner.ts";
import { ByteInterner } from "./byte-interner.ts";
import { HashIndex, hashOf, hashOfId, widened } from "./hash-index.ts";
import { Packed } from "./packed.ts";
import { hashOfName, ByteArena } from "./byte-arena.ts";
import type { Rows } from "@firstlight/changefeed";

const ROLE_NUMBERS = new Interner(ROLES);
const IDENTIFIED = new Interner(IDENTIFICATIONS);
const STATES = new Interner(["", ...INTERFACE_STATES]);
const IDENTIFIED_SHIFT = 3;
const STATE_SHIFT = 5;
const NO_IDENTITY_INDEX = "the replica was made without `interfaceByIdentity`";

/** The indexes that are built beside the one by id. */
interface InterfaceIndexes {
  readonly byIdentity?: boolean;
  readonly byLabel?: boolean;
}

/**
 * Interfaces by id, identity and label. A MAC has a column of numbers; another identity is interned, and the column has its
 * number below zero. A row with fields that the columns cannot hold is kept as an object.
 */
export class Interfaces extends Packed<Interface> implements Rows<Interface> {
  #id = new Int32Array(256);
  #segment = new Int32Array(256);
  #client = new Float64Array(256);
  #flags = new Uint8Array(256);
  #version = new Float64Array(256);
  #machine = new Int32Array(256);
  #label = new Int32Array(256);
  readonly #identities = new ByteInterner();
  readonly #machines = new ByteInterner();
  readonly #labels = new ByteArena();
  /** Rows that the columns cannot hold, by slot. */
  readonly #objects = new Map<number, Interface>();
  readonly #byId = new HashIndex((slot) => hashOfId(this.#id[slot]!));
  readonly #byClient: HashIndex | undefined;
  readonly #byLabel: HashIndex | undefined;

  protected override readonly indexes: readonly HashIndex[];

  constructor({ byIdentity = true, byLabel = true }: InterfaceIndexes = {}) {
    super();
    this.#byClient = byIdentity ? new HashIndex((slot) => hashOf(this.#client[slot]!)) : undefined;
    this.#byLabel = byLabel ? new HashIndex((slot) => this.#labels.nameHash(this.#label[slot]!)) : undefined;
    this.indexes = [this.#byId, this.#byClient, this.#byLabel].filter((index) => index !== undefined);
  }

  get(id: number): Interface | undefined {
    const slot = this.#slotOf(id);
    return slot === -1 ? undefined : this.read(slot);
  }

  on(segment: number, identity: ClientIdentity): Interface | undefined {
    const client = typeof identity === "number" ? identity : -this.#identities.numberOf(identity);
    const index = this.#byClient;
    assert.ok(index, NO_IDENTITY_INDEX);
    for (let slot = index.first(hashOf(client)); slot !== -1; slot = index.next(slot))
      if (this.#client[slot] === client && this.#segment[slot] === segment) return this.read(slot);
    return undefined;
  }

  /** On all segments, the oldest first. */
  of(identity: ClientIdentity): Interface[] {
    const client = typeof identity === "number" ? identity : -this.#identities.numberOf(identity);
    const found: Interface[] = [];
    const index = this.#byClient;
    assert.ok(index, NO_IDENTITY_INDEX);
    for (let slot = index.first(hashOf(client)); slot !== -1; slot = index.next(slot))
      if (this.#client[slot] === client) found.push(this.read(slot));
    return found.sort((a, b) => a.id - b.id);
  }

  /** In all domains; `label` in lower case. */
  labelled(label: string): Interface[] {
    const found: Interface[] = [];
    const index = this.#byLabel;
    assert.ok(index, "the replica was made without `interfaceByLabel`");
    for (let slot = index.first(hashOfName(Buffer.from(label))); slot !== -1; slot = index.next(slot))
      if (this.#labels.text(this.#label[slot]!)!.toLowerCase() === label) found.push(this.read(slot));
    return found.sort((a, b) => a.id - b.id);
  }

  like(row: Interface): Interface | undefined {
    return this.get(row.id);
  }

  under(key: string): Interface | undefined {
    const id = readId(key);
    return id === undefined ? undefined : this.get(id);
  }

  put(row: Interface): Interface | undefined {
    const before = this.get(row.id);
    if (before) this.drop(before);
    const slot = this.take();
    this.#write(slot, row);
    this.#index(slot);
    return before;
  }

  /** Adds a new row from its tuple without making an object. False: the columns cannot hold it. */
  fill(tuple: Tuple): boolean {
    const role = tuple.interned(INTERFACE.role, ROLE_NUMBERS);
    const identified = tuple.interned(INTERFACE.identified_by, IDENTIFIED);
    const state = tuple.has(INTERFACE.state) ? tuple.interned(INTERFACE.state, STATES) : 0;
    if (tuple.has(INTERFACE.more) || role === -1 || identified === -1 || state === -1) return false;
    const slot = this.take();
    this.#id[slot] = tuple.int32(INTERFACE.id);
    this.#segment[slot] = tuple.int32(INTERFACE.segment);
    this.#client[slot] = tuple.has(INTERFACE.mac)
      ? tuple.mac(INTERFACE.mac)
      : -tuple.stored(INTERFACE.identity, this.#identities);
    this.#flags[slot] = role | (identified << IDENTIFIED_SHIFT) | (state << STATE_SHIFT);
    this.#version[slot] = tuple.int64(INTERFACE.version);
    this.#machine[slot] = tuple.stored(INTERFACE.machine, this.#machines);
    this.#label[slot] = tuple.stored(INTERFACE.label, this.#labels);
    this.#index(slot);
    return true;
  }

  drop(row: Interface): void {
    const slot = this.#slotOf(row.id);
    if (slot === -1) return;
    this.give(slot);
    this.#byId.drop(slot);
    this.#byClient?.drop(slot);
    if (this.#label[slot] !== 0) this.#byLabel?.drop(slot);
    this.#machines.release(this.#machine[slot]!);
    this.#labels.release(this.#label[slot]!);
    this.#objects.delete(slot);
  }

  protected override read(slot: number): Interface {
    const object = this.#objects.size > 0 && this.#objects.get(slot);
    if (object) return object;
    const flags = this.#flags[slot]!;
    const machine = this.#machines.text(this.#machine[slot]!);
    const label = this.#labels.text(this.#label[slot]!);
    const row: { -readonly [K in keyof Interface]: Interface[K] } = {
      kind: "interface",
      id: this.#id[slot]!,
      segment: this.#segment[slot]!,
      identity: this.#identityOf(this.#client[slot]!),
      role: ROLE_NUMBERS.text(flags & 7) as Role,
      identifiedBy: IDENTIFIED.text((flags >> IDENTIFIED_SHIFT) & 3) as Interface["identifiedBy"],
      version: this.#version[slot]!,
    };
    if (machine !== undefined) row.machine = machine;
    if (label !== undefined) row.label = label;
    if (flags >> STATE_SHIFT !== 0) row.state = STATES.text(flags >> STATE_SHIFT) as NonNullable<Interface["state"]>;
    return row;
  }

  #identityOf(client: number): ClientIdentity {
    return client < 0 ? (this.#identities.text(-client)! as ClientIdentity) : client;
  }

  #slotOf(id: number): number {
    for (let slot = this.#byId.first(hashOfId(id)); slot !== -1; slot = this.#byId.next(slot))
      if (this.#id[slot] === id) return slot;
    return -1;
  }

  #write(slot: number, row: Interface): void {
    const [role, identified, state] = [
      ROLE_NUMBERS.of(row.role),
      IDENTIFIED.of(row.identifiedBy),
      STATES.of(row.state ?? ""),
    ];
    this.#id[slot] = row.id;
    this.#segment[slot] = row.segment;
    const { identity } = row;
    this.#client[slot] = typeof identity === "number" ? identity : -this.#identities.holdText(identity);
    this.#flags[slot] = role | (identified << IDENTIFIED_SHIFT) | (state << STATE_SHIFT);
    this.#version[slot] = row.version;
    this.#machine[slot] = this.#machines.holdText(row.machine);
    this.#label[slot] = this.#labels.holdText(row.label);
    if (role === -1 || identified === -1 || state === -1 || !isPlain(row)) this.#objects.set(slot, row);
  }

  #index(slot: number): void {
    this.#byId.add(slot);
    this.#byClient?.add(slot);
    if (this.#label[slot] !== 0) this.#byLabel?.add(slot);
  }

  protected override widen(width: number): void {
    this.#id = widened(this.#id, width);
    this.#segment = widened(this.#segment, width);
    this.#client = widened(this.#client, width);
    this.#flags = widened(this.#flags, width);
    this.#version = widened(this.#version, width);
    this.#machine = widened(this.#machine, width);
    this.#label = widened(this.#label, width);
    this.#labels.reserve(width);
  }
}
