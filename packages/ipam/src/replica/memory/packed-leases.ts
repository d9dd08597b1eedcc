import assert from "node:assert/strict";
import { LEASE_STATES } from "../../fields/lists.ts";
import type { IPv4, Mac } from "@firstlight/wire";
import type { AddressPolicy, Lease } from "../../model/model.ts";
import { isPlain, LEASE } from "../../tuples/columns.ts";
import type { Tuple } from "../../tuples/tuple.ts";
import { Interner } from "../../tuples/interner.ts";
import { ByteInterner } from "./byte-interner.ts";
import { HashIndex, hashOfAddress, hashOfId, widened } from "./hash-index.ts";
import { Packed } from "./packed.ts";
import { ByteArena } from "./byte-arena.ts";

const POLICIES = new Interner(["dynamic", "fixed", "retained", "preserved"] satisfies AddressPolicy[]);
const STATES = new Interner(LEASE_STATES);
const HAS_RELAY = 0x80;
const STATE_SHIFT = 2;

/** A lease as DHCPv4 gives it: of an IPv4 address, to a MAC. */
type PackedLease = Lease & { readonly address: IPv4; readonly identity: Mac };

/** Leases of IPv4 addresses, by address and by interface. */
export class PackedLeases extends Packed<Lease> {
  #address = new Uint32Array(256);
  #vrf = new Uint32Array(256);
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
  readonly #vrfs = new Interner();
  /** One each: client-ids are not shared. */
  readonly #clientIds = new ByteArena();
  readonly #ports = new ByteInterner();
  readonly #byAddress = new HashIndex((slot) => hashOfAddress(this.#address[slot]!));
  readonly #byInterface: HashIndex | undefined;

  protected override readonly indexes: readonly HashIndex[];

  constructor({ byInterface = true }: { readonly byInterface?: boolean } = {}) {
    super();
    this.#byInterface = byInterface ? new HashIndex((slot) => hashOfId(this.#interface[slot]!)) : undefined;
    this.indexes = [this.#byAddress, this.#byInterface].filter((index) => index !== undefined);
  }

  /** Whether the columns can hold all of this row. */
  static fits(row: Lease): row is PackedLease {
    if (typeof row.identity !== "number" || row.iaid !== undefined || row.prefixLength !== undefined) return false;
    if (typeof row.address !== "number" || (row.relay && typeof row.relay.giaddr !== "number")) return false;
    return POLICIES.of(row.policy) !== -1 && STATES.of(row.state) !== -1 && isPlain(row);
  }

  get(address: IPv4, vrf: string): Lease | undefined {
    const slot = this.#slotOf(address, vrf);
    return slot === -1 ? undefined : this.read(slot);
  }

  /** In all VRFs. */
  at(address: IPv4): Lease[] {
    const found: Lease[] = [];
    for (let slot = this.#byAddress.first(hashOfAddress(address)); slot !== -1; slot = this.#byAddress.next(slot))
      if (this.#address[slot] === address) found.push(this.read(slot));
    return found;
  }

  heldBy(interfaceId: number): Lease[] {
    const found: Lease[] = [];
    const index = this.#byInterface;
    assert.ok(index, "the replica was made without `leaseByInterface`");
    for (let slot = index.first(hashOfId(interfaceId)); slot !== -1; slot = index.next(slot))
      if (this.#interface[slot] === interfaceId) found.push(this.read(slot));
    return found;
  }

  put(row: PackedLease): void {
    let slot = this.#slotOf(row.address, row.vrf);
    if (slot === -1) {
      slot = this.take();
      this.#write(slot, row);
      this.#byAddress.add(slot);
      this.#byInterface?.add(slot);
      return;
    }
    this.changing(slot);
    this.#release(slot);
    const isMoved = this.#interface[slot] !== row.interface;
    if (isMoved) this.#byInterface?.drop(slot);
    this.#write(slot, row);
    if (isMoved) this.#byInterface?.add(slot);
  }

  /** Adds a new row from its tuple without making an object. False: the columns cannot hold it. */
  fill(tuple: Tuple): boolean {
    const policy = tuple.interned(LEASE.policy, POLICIES);
    const state = tuple.interned(LEASE.state, STATES);
    const hasRelay = tuple.has(LEASE.giaddr);
    if (tuple.has(LEASE.more) || !tuple.has(LEASE.mac) || tuple.has(LEASE.iaid) || policy === -1 || state === -1)
      return false;
    if (!tuple.isIPv4(LEASE.address) || (hasRelay && !tuple.isIPv4(LEASE.giaddr))) return false;
    const slot = this.take();
    let vrf = tuple.interned(LEASE.vrf, this.#vrfs);
    if (vrf === -1) vrf = this.#vrfs.number(tuple.text(LEASE.vrf));
    this.#address[slot] = tuple.ipv4(LEASE.address);
    this.#vrf[slot] = vrf;
    this.#segment[slot] = tuple.int32(LEASE.segment);
    this.#interface[slot] = tuple.int32(LEASE.interface);
    this.#mac[slot] = tuple.mac(LEASE.mac);
    this.#flags[slot] = policy | (state << STATE_SHIFT) | (hasRelay ? HAS_RELAY : 0);
    this.#startsAt[slot] = tuple.time(LEASE.starts_at);
    this.#expiresAt[slot] = tuple.time(LEASE.expires_at);
    this.#reusableAt[slot] = tuple.time(LEASE.reusable_at);
    this.#version[slot] = tuple.int64(LEASE.version);
    this.#giaddr[slot] = hasRelay ? tuple.ipv4(LEASE.giaddr) : 0;
    this.#clientId[slot] = tuple.stored(LEASE.client_id, this.#clientIds);
    this.#circuitId[slot] = hasRelay ? tuple.stored(LEASE.circuit_id, this.#ports) : 0;
    this.#remoteId[slot] = hasRelay ? tuple.stored(LEASE.remote_id, this.#ports) : 0;
    this.#byAddress.add(slot);
    this.#byInterface?.add(slot);
    return true;
  }

  drop(address: IPv4, vrf: string): void {
    const slot = this.#slotOf(address, vrf);
    if (slot === -1) return;
    this.give(slot);
    this.#byAddress.drop(slot);
    this.#byInterface?.drop(slot);
    this.#release(slot);
  }

  protected override read(slot: number): Lease {
    const flags = this.#flags[slot]!;
    const row: { -readonly [K in keyof Lease]: Lease[K] } = {
      kind: "lease",
      vrf: this.#vrfs.text(this.#vrf[slot]!),
      address: this.#address[slot]!,
      segment: this.#segment[slot]!,
      interface: this.#interface[slot]!,
      identity: this.#mac[slot]!,
      policy: POLICIES.text(flags & 3) as AddressPolicy,
      state: STATES.text((flags >> STATE_SHIFT) & 3) as Lease["state"],
      startsAt: this.#startsAt[slot]!,
      expiresAt: this.#expiresAt[slot]!,
      reusableAt: this.#reusableAt[slot]!,
      version: this.#version[slot]!,
    };
    const clientId = this.#clientIds.bytes(this.#clientId[slot]!);
    if (clientId) row.clientId = clientId;
    if (flags & HAS_RELAY) {
      const circuitId = this.#ports.bytes(this.#circuitId[slot]!);
      const remoteId = this.#ports.bytes(this.#remoteId[slot]!);
      row.relay = { giaddr: this.#giaddr[slot]!, ...(circuitId && { circuitId }), ...(remoteId && { remoteId }) };
    }
    return row;
  }

  #slotOf(address: IPv4, vrf: string): number {
    const number = this.#vrfs.of(vrf);
    for (let slot = this.#byAddress.first(hashOfAddress(address)); slot !== -1; slot = this.#byAddress.next(slot))
      if (this.#address[slot] === address && this.#vrf[slot] === number) return slot;
    return -1;
  }

  #write(slot: number, row: PackedLease): void {
    const { relay } = row;
    this.#address[slot] = row.address;
    this.#vrf[slot] = this.#vrfs.number(row.vrf);
    this.#segment[slot] = row.segment;
    this.#interface[slot] = row.interface;
    this.#mac[slot] = row.identity;
    this.#flags[slot] = POLICIES.of(row.policy) | (STATES.of(row.state) << STATE_SHIFT) | (relay ? HAS_RELAY : 0);
    this.#startsAt[slot] = row.startsAt;
    this.#expiresAt[slot] = row.expiresAt;
    this.#reusableAt[slot] = row.reusableAt;
    this.#version[slot] = row.version;
    this.#giaddr[slot] = relay ? (relay.giaddr as IPv4) : 0;
    this.#clientId[slot] = this.#clientIds.hold(row.clientId);
    this.#circuitId[slot] = this.#ports.hold(relay?.circuitId);
    this.#remoteId[slot] = this.#ports.hold(relay?.remoteId);
  }

  #release(slot: number): void {
    this.#clientIds.release(this.#clientId[slot]!);
    this.#ports.release(this.#circuitId[slot]!);
    this.#ports.release(this.#remoteId[slot]!);
  }

  protected override widen(width: number): void {
    this.#address = widened(this.#address, width);
    this.#vrf = widened(this.#vrf, width);
    this.#segment = widened(this.#segment, width);
    this.#interface = widened(this.#interface, width);
    this.#mac = widened(this.#mac, width);
    this.#flags = widened(this.#flags, width);
    this.#startsAt = widened(this.#startsAt, width);
    this.#expiresAt = widened(this.#expiresAt, width);
    this.#reusableAt = widened(this.#reusableAt, width);
    this.#version = widened(this.#version, width);
    this.#giaddr = widened(this.#giaddr, width);
    this.#clientId = widened(this.#clientId, width);
    this.#circuitId = widened(this.#circuitId, width);
    this.#remoteId = widened(this.#remoteId, width);
  }
}
