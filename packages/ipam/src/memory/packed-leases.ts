import type { IPv4 } from "@firstlight/wire";
import type { AddressPolicy, Lease } from "../model.ts";
import { Blobs } from "./blobs.ts";
import { Chains, grown, hashOf } from "./chains.ts";
import { Packed } from "./packed.ts";

const POLICIES: readonly AddressPolicy[] = ["dynamic", "fixed", "retained", "preserved"];
const STATES: readonly Lease["state"][] = ["bound", "released", "declined"];
const FIELDS = new Set<string>([
  "kind", "vrf", "address", "segment", "interface", "mac", "policy", "state", "startsAt", "expiresAt", "reusableAt", "clientId", "relay", "version",
]); // prettier-ignore
const RELAY_FIELDS = new Set<string>(["giaddr", "circuitId", "remoteId"]);
const HAS_RELAY = 0x80;
const STATE_SHIFT = 2;

/** Leases of IPv4 addresses, by address and by interface. */
export class PackedLeases extends Packed<Lease> {
  #address = new Uint32Array(256);
  #vrf = new Uint16Array(256);
  #segment = new Int32Array(256);
  #interface = new Int32Array(256);
  #mac = new Float64Array(256);
  #flags = new Uint8Array(256);
  #startsAt = new Float64Array(256);
  #expiresAt = new Float64Array(256);
  #reusableAt = new Float64Array(256);
  #version = new Float64Array(256);
  #giaddr = new Uint32Array(256);
  #clientId = new Int32Array(256);
  #circuitId = new Int32Array(256);
  #remoteId = new Int32Array(256);
  readonly #vrfs: string[] = [];
  readonly #blobs = new Blobs();
  readonly #byAddress = new Chains((slot) => hashOf(this.#address[slot]!));
  readonly #byInterface = new Chains((slot) => hashOf(this.#interface[slot]!));

  /** Whether the columns can say all that this row says. */
  static fits(row: Lease): row is Lease & { readonly address: IPv4 } {
    if (typeof row.address !== "number") return false;
    for (const field in row) if (!FIELDS.has(field)) return false;
    if (!row.relay) return true;
    for (const field in row.relay) if (!RELAY_FIELDS.has(field)) return false;
    return typeof row.relay.giaddr === "number";
  }

  get(address: IPv4, vrf: string): Lease | undefined {
    const slot = this.#slotOf(address, vrf);
    return slot === -1 ? undefined : this.read(slot);
  }

  /** In every VRF. */
  at(address: IPv4): Lease[] {
    const found: Lease[] = [];
    for (let slot = this.#byAddress.first(hashOf(address)); slot !== -1; slot = this.#byAddress.next(slot))
      if (this.#address[slot] === address) found.push(this.read(slot));
    return found;
  }

  heldBy(interfaceId: number): Lease[] {
    const found: Lease[] = [];
    for (let slot = this.#byInterface.first(hashOf(interfaceId)); slot !== -1; slot = this.#byInterface.next(slot))
      if (this.#interface[slot] === interfaceId) found.push(this.read(slot));
    return found;
  }

  put(row: Lease & { readonly address: IPv4 }): void {
    let slot = this.#slotOf(row.address, row.vrf);
    if (slot === -1) {
      slot = this.take();
      this.#grow(slot);
      this.#write(slot, row);
      this.#byAddress.add(slot);
      this.#byInterface.add(slot);
      return;
    }
    this.changing(slot);
    this.#release(slot);
    const isMoved = this.#interface[slot] !== row.interface;
    if (isMoved) this.#byInterface.drop(slot);
    this.#write(slot, row);
    if (isMoved) this.#byInterface.add(slot);
  }

  drop(address: IPv4, vrf: string): void {
    const slot = this.#slotOf(address, vrf);
    if (slot === -1) return;
    this.give(slot);
    this.#byAddress.drop(slot);
    this.#byInterface.drop(slot);
    this.#release(slot);
  }

  protected override read(slot: number): Lease {
    const flags = this.#flags[slot]!;
    const row: { -readonly [K in keyof Lease]: Lease[K] } = {
      kind: "lease",
      vrf: this.#vrfs[this.#vrf[slot]!]!,
      address: this.#address[slot]!,
      segment: this.#segment[slot]!,
      interface: this.#interface[slot]!,
      mac: this.#mac[slot]!,
      policy: POLICIES[flags & 3]!,
      state: STATES[(flags >> STATE_SHIFT) & 3]!,
      startsAt: this.#startsAt[slot]!,
      expiresAt: this.#expiresAt[slot]!,
      reusableAt: this.#reusableAt[slot]!,
      version: this.#version[slot]!,
    };
    const clientId = this.#blobs.bytes(this.#clientId[slot]!);
    if (clientId) row.clientId = clientId;
    if (flags & HAS_RELAY) {
      const circuitId = this.#blobs.bytes(this.#circuitId[slot]!);
      const remoteId = this.#blobs.bytes(this.#remoteId[slot]!);
      row.relay = { giaddr: this.#giaddr[slot]!, ...(circuitId && { circuitId }), ...(remoteId && { remoteId }) };
    }
    return row;
  }

  #slotOf(address: IPv4, vrf: string): number {
    for (let slot = this.#byAddress.first(hashOf(address)); slot !== -1; slot = this.#byAddress.next(slot))
      if (this.#address[slot] === address && this.#vrfs[this.#vrf[slot]!] === vrf) return slot;
    return -1;
  }

  #write(slot: number, row: Lease & { readonly address: IPv4 }): void {
    const { relay } = row;
    let vrf = this.#vrfs.indexOf(row.vrf);
    if (vrf === -1) vrf = this.#vrfs.push(row.vrf) - 1;
    this.#address[slot] = row.address;
    this.#vrf[slot] = vrf;
    this.#segment[slot] = row.segment;
    this.#interface[slot] = row.interface;
    this.#mac[slot] = row.mac;
    this.#flags[slot] =
      POLICIES.indexOf(row.policy) | (STATES.indexOf(row.state) << STATE_SHIFT) | (relay ? HAS_RELAY : 0);
    this.#startsAt[slot] = row.startsAt;
    this.#expiresAt[slot] = row.expiresAt;
    this.#reusableAt[slot] = row.reusableAt;
    this.#version[slot] = row.version;
    this.#giaddr[slot] = relay ? (relay.giaddr as IPv4) : 0;
    this.#clientId[slot] = this.#blobs.hold(row.clientId);
    this.#circuitId[slot] = this.#blobs.hold(relay?.circuitId);
    this.#remoteId[slot] = this.#blobs.hold(relay?.remoteId);
  }

  #release(slot: number): void {
    this.#blobs.release(this.#clientId[slot]!);
    this.#blobs.release(this.#circuitId[slot]!);
    this.#blobs.release(this.#remoteId[slot]!);
  }

  #grow(slot: number): void {
    if (slot < this.#address.length) return;
    this.#address = grown(this.#address, slot);
    this.#vrf = grown(this.#vrf, slot);
    this.#segment = grown(this.#segment, slot);
    this.#interface = grown(this.#interface, slot);
    this.#mac = grown(this.#mac, slot);
    this.#flags = grown(this.#flags, slot);
    this.#startsAt = grown(this.#startsAt, slot);
    this.#expiresAt = grown(this.#expiresAt, slot);
    this.#reusableAt = grown(this.#reusableAt, slot);
    this.#version = grown(this.#version, slot);
    this.#giaddr = grown(this.#giaddr, slot);
    this.#clientId = grown(this.#clientId, slot);
    this.#circuitId = grown(this.#circuitId, slot);
    this.#remoteId = grown(this.#remoteId, slot);
  }
}
