import { EDNS_PAYLOAD_BYTES, FLAGS, HEADER_BYTES, type Scan, TYPES } from "@firstlight/wire/dns";

const OPT_BYTES = 11;

/**
 * A reply while it is written into the sender's buffer, one after another. What does not fit truncates it (RFC 2181 §9):
 * then it holds the question and OPT alone, and TC sends the client to TCP.
 */
export class Reply {
  rcode = 0;
  isAuthoritative = false;
  isTruncated = false;
  /** Offset behind what is written. */
  at = 0;
  #out: Uint8Array = new Uint8Array(0);
  #asked: Scan | undefined;
  #end = 0;
  #answers = 0;
  #authorities = 0;

  /** Copies header and question as they came: names keep the client's case (0x20). */
  begin(query: Uint8Array, out: Uint8Array, asked: Scan, room: number): void {
    for (let i = 0; i < asked.end; i++) out[i] = query[i]!;
    this.rcode = this.#answers = this.#authorities = 0;
    this.isAuthoritative = this.isTruncated = false;
    this.at = asked.end;
    this.#out = out;
    this.#asked = asked;
    this.#end = Math.min(room, out.length) - (asked.hasEdns ? OPT_BYTES : 0);
  }

  /** Appends compiled records to the answer section; the offset of the first one's data, or −1 when they do not fit. */
  answer(owner: number, from: Uint8Array, at: number, bytes: number, count: number): number {
    const first = this.at + 12;
    if (!this.#append(owner, from, at, bytes, count)) return -1;
    this.#answers += count;
    return first;
  }

  authority(owner: number, from: Uint8Array, at: number, bytes: number, count: number): void {
    if (this.#append(owner, from, at, bytes, count)) this.#authorities += count;
  }

  /** Writes the serial into the SOA that was appended last, `fromEnd` bytes before its end. */
  patchSerial(serial: number, fromEnd: number): void {
    if (this.isTruncated) return;
    this.#u16(this.at - fromEnd, serial >>> 16);
    this.#u16(this.at - fromEnd + 2, serial);
  }

  /** Completes header and OPT; the length of the reply. */
  end(): number {
    const asked = this.#asked!;
    if (asked.hasEdns) this.#opt(asked.dnssecOk);
    const flags = (asked.flags & 0x7900) | FLAGS.isResponse; // opcode and RD are the client's
    const authority = this.isAuthoritative ? FLAGS.isAuthoritative : 0;
    this.#u16(2, flags | authority | (this.isTruncated ? FLAGS.isTruncated : 0) | (this.rcode & 15));
    this.#u16(4, asked.end > HEADER_BYTES ? 1 : 0);
    this.#u16(6, this.#answers);
    this.#u16(8, this.#authorities);
    this.#u16(10, asked.hasEdns ? 1 : 0);
    return this.at;
  }

  /** Each record is preceded by a pointer to its owner, which stands uncompressed in the reply already. */
  #append(owner: number, from: Uint8Array, at: number, bytes: number, count: number): boolean {
    if (this.isTruncated) return false;
    if (this.at + bytes + 2 * count > this.#end) {
      this.isTruncated = true;
      this.#answers = this.#authorities = 0;
      this.at = this.#asked!.end;
      return false;
    }
    const out = this.#out;
    let read = at;
    while (read < at + bytes) {
      this.#u16(this.at, 0xc000 | owner);
      this.at += 2;
      const next = read + 10 + ((from[read + 8]! << 8) | from[read + 9]!);
      while (read < next) out[this.at++] = from[read++]!;
    }
    return true;
  }

  /** RFC 6891 §6.1.2; no option of the client's is understood, none is echoed. DO comes back (RFC 3225 §3). */
  #opt(dnssecOk: boolean): void {
    const { at } = this;
    this.#out[at] = 0;
    this.#u16(at + 1, TYPES.of.OPT);
    this.#u16(at + 3, EDNS_PAYLOAD_BYTES);
    this.#u16(at + 5, (this.rcode >>> 4) << 8);
    this.#u16(at + 7, dnssecOk ? 0x8000 : 0);
    this.#u16(at + 9, 0);
    this.at += OPT_BYTES;
  }

  #u16(at: number, value: number): void {
    this.#out[at] = value >>> 8;
    this.#out[at + 1] = value;
  }
}
