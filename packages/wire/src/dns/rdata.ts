import { addressBytes } from "../address.ts";
import type { Writer } from "../bytes.ts";
import { Malformed } from "../malformed.ts";
import { type DomainName, writeName } from "./name.ts";
import { type RecordData, rowOf, type Shape, type Shapes } from "./records.ts";
import { TYPES } from "./registry.ts";

/** Writes RDATA by its row, names uncompressed. Malformed: a character-string that DNS cannot carry. */
export function writeData(writer: Writer, data: RecordData): Malformed | undefined {
  for (const [field, shape] of rowOf(TYPES.of[data.is])!.fields) {
    const fault = WRITE[shape](writer, (data as unknown as Record<string, never>)[field]!);
    if (fault) return fault;
  }
  return undefined;
}

type Write<S extends Shape> = (writer: Writer, value: Shapes<DomainName>[S]) => Malformed | undefined;

/** How a field of each shape is written. */
export const WRITE: { readonly [S in Shape]: Write<S> } = {
  ipv4: (writer, address) => void writer.u32(address),
  ipv6: (writer, address) => void writer.put(addressBytes(address)),
  u16: (writer, value) => void writer.u16(value),
  u32: (writer, value) => void writer.u32(value),
  name: putName,
  plainName: putName,
  strings(writer, strings) {
    if (strings.length === 0) return new Malformed("TXT without a string"); // RFC 1035 §3.3.14: one or more
    for (const text of strings) {
      if (text.length > 255) return new Malformed("string longer than 255 octets");
      writer.u8(text.length).put(Buffer.from(text, "latin1"));
    }
    return undefined;
  },
};

function putName(writer: Writer, name: DomainName): undefined {
  if (writer.at + name.length <= writer.bytes.length) writer.at = writeName(name, writer.bytes, writer.at);
  else writer.overrun = true;
}
