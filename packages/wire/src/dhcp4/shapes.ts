import { addressBytes, type IPv4 } from "../address.ts";
import { Reader, Writer } from "../bytes.ts";
import { Malformed } from "../malformed.ts";
import { netmask } from "../prefix.ts";
import { readDomains, writeDomains } from "./domains.ts";
import { type MessageType, messageTypes } from "./registry.ts";

/** How the value of an option is laid out: bytes to a value and back. `read` gives Malformed for any other layout. */
export interface Shape<Value> {
  readonly read: (bytes: Uint8Array) => Value | Malformed;
  readonly write: (value: Value) => Uint8Array;
}

/** Options by code, in the order they arrived (or are to leave); unknown ones too. Never 0, 52 or 255. */
export type Options = ReadonlyMap<number, Uint8Array>;

/** A classless route, RFC 3442: a destination and its router; router 0 means "on link". */
export interface Route {
  readonly address: IPv4;
  readonly length: number;
  readonly router: IPv4;
}

const u8: Shape<number> = {
  read: (bytes) => (bytes.length === 1 ? bytes[0]! : new Malformed("want one byte")),
  write: (value) => Uint8Array.of(value),
};

const u16: Shape<number> = {
  read: (bytes) => (bytes.length === 2 ? (bytes[0]! << 8) | bytes[1]! : new Malformed("want two bytes")),
  write: (value) => Uint8Array.of(value >>> 8, value),
};

const u32: Shape<number> = {
  read: (bytes) => (bytes.length === 4 ? new Reader(bytes).u32() : new Malformed("want four bytes")),
  write: (value) => addressBytes(value),
};

const u16s: Shape<readonly number[]> = {
  read(bytes) {
    if (bytes.length === 0 || bytes.length % 2 !== 0) return new Malformed("want pairs of bytes");
    const reader = new Reader(bytes);
    return Array.from({ length: bytes.length / 2 }, () => reader.u16());
  },
  write: (values) => Uint8Array.from(values.flatMap((value) => [value >>> 8, value & 255])),
};

const u8s: Shape<readonly number[]> = { read: (bytes) => [...bytes], write: (values) => Uint8Array.from(values) };

const ipv4s: Shape<readonly IPv4[]> = {
  read(bytes) {
    if (bytes.length === 0 || bytes.length % 4 !== 0) return new Malformed("want IPv4 addresses");
    const reader = new Reader(bytes);
    return Array.from({ length: bytes.length / 4 }, () => reader.u32());
  },
  write(values) {
    const writer = new Writer(values.length * 4);
    for (const value of values) writer.u32(value);
    return writer.done();
  },
};

const flag: Shape<boolean> = {
  read: (bytes) => (bytes.length === 1 && bytes[0]! <= 1 ? bytes[0] === 1 : new Malformed("want 0 or 1")),
  write: (value) => Uint8Array.of(value ? 1 : 0),
};

/** Present or absent, without a value: RFC 8357 §5.1 and the like. */
const empty: Shape<true> = {
  read: (bytes) => (bytes.length === 0 ? true : new Malformed("want no bytes")),
  write: () => new Uint8Array(0),
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text without a terminator. RFC 2132 §2: a receiver trims trailing NULs. */
const text: Shape<string> = {
  read: (bytes) => decoder.decode(bytes.subarray(0, trimmed(bytes))),
  write: ascii,
};

/** Text that firmware wants NUL-terminated: EDK2 writes a NUL behind it in place otherwise. */
const textNul: Shape<string> = { read: text.read, write: (value) => ascii(`${value}\0`) };

/** Text is nearly always short ASCII: then a loop is three times as fast as the encoder. */
function ascii(value: string): Uint8Array {
  if (value.length > 64) return encoder.encode(value);
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit > 127) return encoder.encode(value);
    bytes[i] = unit;
  }
  return bytes;
}

function trimmed(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

const bytes: Shape<Uint8Array> = { read: (value) => value, write: (value) => value };

const messageType: Shape<MessageType> = {
  read: (value) =>
    value.length === 1 ? (messageTypes.name(value[0]!) as MessageType) : new Malformed("want one byte"),
  write: (value) => Uint8Array.of(messageTypes.code(value) ?? 0),
};

const domains: Shape<readonly string[]> = { read: readDomains, write: writeDomains };

/** RFC 3442: width, the significant octets of the destination, router; repeated. */
const routes: Shape<readonly Route[]> = {
  read(bytes) {
    const reader = new Reader(bytes);
    const list: Route[] = [];
    while (reader.left > 0) {
      const length = reader.u8();
      if (length > 32) return new Malformed("route wider than 32 bits", reader.at);
      const significant = reader.take(Math.ceil(length / 8));
      let address = 0;
      for (let i = 0; i < 4; i++) address = (address << 8) | (significant[i] ?? 0);
      list.push({ address: (address & netmask(length)) >>> 0, length, router: reader.u32() });
    }
    return reader.overrun || list.length === 0 ? new Malformed("route cut short", reader.at) : list;
  },
  write: (list) =>
    Uint8Array.from(
      list.flatMap(({ address, length, router }) => [
        length,
        ...addressBytes(address).subarray(0, Math.ceil(length / 8)),
        ...addressBytes(router),
      ]),
    ),
};

/** Options within an option: of a relay agent, RFC 3046 §2.0 (no pads, no end). */
const suboptions: Shape<Options> = {
  read: (bytes) => readSuboptions(bytes, false),
  write: writeSuboptions,
};

/** Vendor options within option 43 or 175, RFC 2132 §8.4: PAD and END may appear. */
const encapsulated: Shape<Options> = {
  read: (bytes) => readSuboptions(bytes, true),
  write: writeSuboptions,
};

function readSuboptions(bytes: Uint8Array, hasPads: boolean): Options | Malformed {
  const reader = new Reader(bytes);
  const found = new Map<number, Uint8Array>();
  while (reader.left > 0) {
    const code = reader.u8();
    if (hasPads && code === 0) continue;
    if (hasPads && code === 255) break;
    const value = reader.take(reader.u8());
    if (!found.has(code)) found.set(code, value);
  }
  return reader.overrun ? new Malformed("sub-option runs past its option", reader.at) : found;
}

function writeSuboptions(options: Options): Uint8Array {
  const parts = [...options].filter(([, value]) => value.length <= 255);
  const writer = new Writer(parts.reduce((sum, [, value]) => sum + 2 + value.length, 0));
  for (const [code, value] of parts) writer.u8(code).u8(value.length).put(value);
  return writer.done();
}

/** Every shape by its name, as the tables of options use it. */
export const SHAPES = {
  ipv4: u32,
  ipv4s,
  u8,
  u8s,
  u16,
  u16s,
  u32,
  seconds: u32,
  flag,
  empty,
  text,
  textNul,
  bytes,
  messageType,
  domains,
  routes,
  suboptions,
  encapsulated,
} as const;

export type ShapeName = keyof typeof SHAPES;
export type ValueOf<Name extends ShapeName> = (typeof SHAPES)[Name] extends Shape<infer Value> ? Value : never;
