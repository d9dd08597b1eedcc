import type { Mac } from "@firstlight/wire";
import { readId } from "../key.ts";
import type { Interface, Role } from "../model.ts";
import { Chains, grown, hashOf, hashOfText } from "./chains.ts";
import { Packed } from "./packed.ts";
import type { Rows } from "./table.ts";

const ROLES: readonly Role[] = ["host", "host_bmc", "dpu_bmc", "dpu_oob", "other"];
const IDENTIFIED: readonly Interface["identifiedBy"][] = ["expected", "lease", "declared"];
const FIELDS = new Set<string>(["kind", "id", "segment", "mac", "role", "machine", "label", "identifiedBy", "version"]);
const IDENTIFIED_SHIFT = 3;

/** Interfaces by id, MAC and label. One that says more than the columns can is kept whole beside them. */
export class Interfaces extends Packed<Interface> implements Rows<Interface> {
  #id = new Int32Array(256);
  #segment = new Int32Array(256);
  #mac = new Float64Array(256);
  #flags = new Uint8Array(256);
  #version = new Float64Array(256);
  readonly #machine: (string | undefined)[] = [];
  readonly #label: (string | undefined)[] = [];
  readonly #odd = new Map<number, Interface>();
  #lastMachine: string | undefined;
  readonly #byId = new Chains((slot) => hashOf(this.#id[slot]!));
  readonly #byMac = new Chains((slot) => hashOf(this.#mac[slot]!));
  readonly #byLabel = new Chains((slot) => hashOfText(this.#label[slot]!.toLowerCase()));

  get(id: number): Interface | undefined {
    const slot = this.#slotOf(id);
    return slot === -1 ? undefined : this.read(slot);
  }

  on(segment: number, mac: Mac): Interface | undefined {
    for (let slot = this.#byMac.first(hashOf(mac)); slot !== -1; slot = this.#byMac.next(slot))
      if (this.#mac[slot] === mac && this.#segment[slot] === segment) return this.read(slot);
    return undefined;
  }

  /** On any segment, the oldest first. */
  ofMac(mac: Mac): Interface[] {
    const found: Interface[] = [];
    for (let slot = this.#byMac.first(hashOf(mac)); slot !== -1; slot = this.#byMac.next(slot))
      if (this.#mac[slot] === mac) found.push(this.read(slot));
    return found.sort((a, b) => a.id - b.id);
  }

  /** In any domain; `label` in lower case. */
  labelled(label: string): Interface[] {
    const found: Interface[] = [];
    for (let slot = this.#byLabel.first(hashOfText(label)); slot !== -1; slot = this.#byLabel.next(slot))
      if (this.#label[slot]!.toLowerCase() === label) found.push(this.read(slot));
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
    this.#grow(slot);
    this.#write(slot, row);
    this.#byId.add(slot);
    this.#byMac.add(slot);
    if (row.label !== undefined) this.#byLabel.add(slot);
    return before;
  }

  drop(row: Interface): void {
    const slot = this.#slotOf(row.id);
    if (slot === -1) return;
    this.give(slot);
    this.#byId.drop(slot);
    this.#byMac.drop(slot);
    if (this.#label[slot] !== undefined) this.#byLabel.drop(slot);
    this.#machine[slot] = this.#label[slot] = undefined;
    this.#odd.delete(slot);
  }

  protected override read(slot: number): Interface {
    const odd = this.#odd.size > 0 && this.#odd.get(slot);
    if (odd) return odd;
    const [flags, machine, label] = [this.#flags[slot]!, this.#machine[slot], this.#label[slot]];
    const row: { -readonly [K in keyof Interface]: Interface[K] } = {
      kind: "interface",
      id: this.#id[slot]!,
      segment: this.#segment[slot]!,
      mac: this.#mac[slot]!,
      role: ROLES[flags & 7]!,
      identifiedBy: IDENTIFIED[flags >> IDENTIFIED_SHIFT]!,
      version: this.#version[slot]!,
    };
    if (machine !== undefined) row.machine = machine;
    if (label !== undefined) row.label = label;
    return row;
  }

  #slotOf(id: number): number {
    for (let slot = this.#byId.first(hashOf(id)); slot !== -1; slot = this.#byId.next(slot))
      if (this.#id[slot] === id) return slot;
    return -1;
  }

  #write(slot: number, row: Interface): void {
    this.#id[slot] = row.id;
    this.#segment[slot] = row.segment;
    this.#mac[slot] = row.mac;
    this.#flags[slot] = ROLES.indexOf(row.role) | (IDENTIFIED.indexOf(row.identifiedBy) << IDENTIFIED_SHIFT);
    this.#version[slot] = row.version;
    if (row.machine !== this.#lastMachine) this.#lastMachine = row.machine; // one text for its machine's interfaces
    this.#machine[slot] = this.#lastMachine;
    this.#label[slot] = row.label;
    for (const field in row) if (!FIELDS.has(field)) return void this.#odd.set(slot, row);
  }

  #grow(slot: number): void {
    if (slot < this.#id.length) return;
    this.#id = grown(this.#id, slot);
    this.#segment = grown(this.#segment, slot);
    this.#mac = grown(this.#mac, slot);
    this.#flags = grown(this.#flags, slot);
    this.#version = grown(this.#version, slot);
  }
}
