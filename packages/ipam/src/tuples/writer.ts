import { type Address, addressBytes, type Mac } from "@firstlight/wire";
import type { ClientIdentity } from "../model/identity.ts";
import type { Interface, Lease } from "../model/model.ts";
import { COLUMNS, isPlain } from "./columns.ts";

/** Bytes that are collected before they are passed on. */
const ENOUGH_BYTES = 256 * 1024;
const NULL = -1;
/** An `inet`'s head: family, bits (of IPv6 none yet), is_cidr, length. */
const INET4 = 0x02_20_00_04;
const INET6 = 0x03_00_00_10;
const EPOCH_MS = 946_684_800_000;
const FIELDS = {
  interface: Object.keys(COLUMNS.interface).length,
  lease: Object.keys(COLUMNS.lease).length,
} as const;

/** Writes interfaces or leases as tuples that `Tuple` reads, into one reused buffer. */
export class TupleWriter {
  #bytes = Buffer.allocUnsafe(ENOUGH_BYTES + 4096);
  #view = viewOf(this.#bytes);
  #at = 0;

  /** Whether a tuple can hold the whole row. A row with other fields, or with times that are not whole ms, stays an object. */
  static fits(row: Interface | Lease): boolean {
    if (!isPlain(row)) return false;
    if (row.kind === "interface") return true;
    return Number.isInteger(row.startsAt) && Number.isInteger(row.expiresAt) && Number.isInteger(row.reusableAt);
  }

  /** Whether the buffer should be taken now. */
  get isFull(): boolean {
    return this.#at >= ENOUGH_BYTES;
  }

  /** The buffered bytes, valid until the next write. */
  take(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    return bytes;
  }

  write(row: Interface | Lease): void {
    this.#room(2);
    this.#view.setInt16(this.#at, FIELDS[row.kind]);
    this.#at += 2;
    if (row.kind === "interface") this.#interface(row);
    else this.#lease(row);
    this.#none(); // more
  }

  #interface(row: Interface): void {
    this.#int32(row.id);
    this.#int32(row.segment);
    this.#identity(row.identity);
    this.#text(row.role);
    this.#text(row.machine);
    this.#text(row.label);
    this.#text(row.identifiedBy);
    this.#text(row.state);
    this.#int64(row.version);
  }

  #lease(row: Lease): void {
    this.#text(row.vrf);
    this.#address(row.address, row.prefixLength);
    this.#int32(row.segment);
    this.#int32(row.interface);
    this.#identity(row.identity);
    if (row.iaid === undefined) this.#none();
    else this.#int64(row.iaid);
    this.#text(row.policy);
    this.#text(row.state);
    this.#int64((row.startsAt - EPOCH_MS) * 1000);
    this.#int64((row.expiresAt - EPOCH_MS) * 1000);
    this.#int64((row.reusableAt - EPOCH_MS) * 1000);
    this.#raw(row.clientId);
    this.#address(row.relay?.giaddr);
    this.#raw(row.relay?.circuitId);
    this.#raw(row.relay?.remoteId);
    this.#int64(row.version);
  }

  #none(): void {
    this.#head(NULL);
  }

  #int32(value: number): void {
    this.#head(4);
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  #int64(value: number): void {
    this.#head(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.#view.setInt32(this.#at, high);
    this.#view.setUint32(this.#at + 4, value - high * 0x1_0000_0000);
    this.#at += 8;
  }

  /** Two fields: the MAC, or the text of another identity. */
  #identity(identity: ClientIdentity): void {
    if (typeof identity === "number") {
      this.#mac(identity);
      this.#none();
    } else {
      this.#none();
      this.#text(identity);
    }
  }

  #mac(mac: Mac): void {
    this.#head(6);
    const high = Math.floor(mac / 0x1_0000_0000);
    this.#view.setUint16(this.#at, high);
    this.#view.setUint32(this.#at + 2, mac - high * 0x1_0000_0000);
    this.#at += 6;
  }

  /** As an `inet`; a delegated prefix has a mask shorter than the address. */
  #address(address: Address | undefined, prefixLength = 128): void {
    if (address === undefined) return this.#none();
    if (typeof address === "number") {
      this.#head(8);
      this.#view.setUint32(this.#at, INET4);
      this.#view.setUint32(this.#at + 4, address);
      this.#at += 8;
    } else {
      this.#head(20);
      this.#view.setUint32(this.#at, INET6 | (prefixLength << 16));
      this.#bytes.set(addressBytes(address), this.#at + 4);
      this.#at += 20;
    }
  }

  #text(text: string | undefined): void {
    if (text === undefined) return this.#none();
    this.#room(4 + 3 * text.length);
    const length = this.#bytes.write(text, this.#at + 4);
    this.#view.setInt32(this.#at, length);
    this.#at += 4 + length;
  }

  #raw(bytes: Uint8Array | undefined): void {
    if (!bytes) return this.#none();
    this.#head(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A field's length, and room for the field. */
  #head(length: number): void {
    this.#room(4 + Math.max(0, length));
    this.#view.setInt32(this.#at, length);
    this.#at += 4;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const wider = Buffer.allocUnsafe(2 * (this.#at + more));
    this.#bytes.copy(wider, 0, 0, this.#at);
    this.#bytes = wider;
    this.#view = viewOf(wider);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
