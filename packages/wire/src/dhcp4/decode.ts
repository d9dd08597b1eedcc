import { Reader } from "../bytes.ts";
import { Malformed } from "../malformed.ts";
import type { Message } from "./message.ts";
import type { Options } from "./options.ts";

export const COOKIE = 0x63825363; // RFC 2131 §3
const [PAD, OVERLOAD, END] = [0, 52, 255];
const [IN_FILE, IN_SNAME] = [1, 2]; // RFC 2132 §9.3
const SNAME_AT = 44;
const FILE_AT = 108;
const OPTIONS_AT = 240;

/** Why bytes are no DHCPv4 message. */
export type PacketFault =
  | "packet-too-short"
  | "op-unknown"
  | "hardware-address-too-long"
  | "no-dhcp-cookie"
  | "overload-not-one-byte"
  | "option-past-field";

/**
 * Reads a DHCPv4 message, RFC 2131 §2. Options split by RFC 3396 are joined, overloaded fields are read as the options
 * they hold, and the overload option itself is gone. `chaddr` and the options are views into `bytes`.
 */
export function decode(bytes: Uint8Array): Message | Malformed<PacketFault> {
  if (bytes.length < OPTIONS_AT) return new Malformed("packet-too-short", bytes.length);
  const reader = new Reader(bytes);
  const op = reader.u8();
  if (op !== 1 && op !== 2) return new Malformed("op-unknown");
  const htype = reader.u8();
  const hlen = reader.u8();
  if (hlen > 16) return new Malformed("hardware-address-too-long", 2);
  const fields = {
    op,
    htype,
    hlen,
    hops: reader.u8(),
    xid: reader.u32(),
    secs: reader.u16(),
    flags: reader.u16(),
    ciaddr: reader.u32(),
    yiaddr: reader.u32(),
    siaddr: reader.u32(),
    giaddr: reader.u32(),
    chaddr: reader.take(16),
  };
  reader.at = OPTIONS_AT - 4;
  if (reader.u32() !== COOKIE) return new Malformed("no-dhcp-cookie", OPTIONS_AT - 4);

  const found: Found = { options: new Map(), more: new Map() };
  const wrong = readArea(bytes, OPTIONS_AT, bytes.length, found);
  if (wrong) return wrong;
  const overload = found.options.get(OVERLOAD);
  if (overload && overload.length !== 1) return new Malformed("overload-not-one-byte");
  const held = overload?.[0] ?? 0;
  // RFC 2131 §4.1: the options field first, then file, then sname.
  const inFile = held & IN_FILE ? readArea(bytes, FILE_AT, FILE_AT + 128, found) : undefined;
  const inSname = held & IN_SNAME ? readArea(bytes, SNAME_AT, SNAME_AT + 64, found) : undefined;
  if (inFile ?? inSname) return (inFile ?? inSname)!;
  return {
    ...fields,
    sname: held & IN_SNAME ? "" : field(bytes, SNAME_AT, 64),
    file: held & IN_FILE ? "" : field(bytes, FILE_AT, 128),
    options: joined(found),
  };
}

/** Options as found, and the further parts of those that came in several. */
interface Found {
  readonly options: Map<number, Uint8Array>;
  readonly more: Map<number, Uint8Array[]>;
}

/** Reads one area up to its END; a missing END is tolerated, an option past the area is not. */
function readArea(bytes: Uint8Array, from: number, end: number, found: Found): Malformed<PacketFault> | undefined {
  let at = from;
  while (at < end) {
    const code = bytes[at++]!;
    if (code === PAD) continue;
    if (code === END) return undefined;
    const length = bytes[at++];
    if (length === undefined || at > end || at + length > end) return new Malformed("option-past-field", at);
    const value = bytes.subarray(at, at + length);
    at += length;
    if (!found.options.has(code)) found.options.set(code, value);
    else if (found.more.has(code)) found.more.get(code)!.push(value);
    else found.more.set(code, [value]);
  }
  return undefined;
}

/** RFC 3396 §7: the parts of one option, joined in the order they came. */
function joined({ options, more }: Found): Options {
  options.delete(OVERLOAD);
  for (const [code, parts] of more) {
    if (code === OVERLOAD) continue;
    const all = [options.get(code)!, ...parts];
    const whole = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of all) {
      whole.set(part, at);
      at += part.length;
    }
    options.set(code, whole);
  }
  return options;
}

/** A fixed text field, up to its first zero; one character a byte. */
function field(bytes: Uint8Array, from: number, length: number): string {
  let value = "";
  for (let at = from; at < from + length && bytes[at] !== 0; at++) value += String.fromCharCode(bytes[at]!);
  return value;
}
