import { Writer } from "../bytes.ts";
import { HEADER_BYTES, type Message, OPCODES, type Options } from "./message.ts";

/** The datagram of a message. A character that no string on the wire can hold (zero, above 255) becomes `?`. */
export function encode(message: Message): Uint8Array {
  switch (message.is) {
    case "RRQ":
    case "WRQ":
      return strings(message.is, [message.file, message.mode, ...flat(message.options)]);
    case "OACK":
      return strings(message.is, flat(message.options));
    case "ACK":
      return new Writer(HEADER_BYTES).u16(OPCODES.of.ACK).u16(message.block).bytes;
    case "DATA": {
      const bytes = new Uint8Array(HEADER_BYTES + message.data.length);
      bytes.set(message.data, HEADER_BYTES);
      return writeDataHeader(bytes, message.block);
    }
    case "ERROR": {
      const writer = new Writer(HEADER_BYTES + message.message.length + 1);
      return putText(writer.u16(OPCODES.of.ERROR).u16(message.code), message.message).bytes;
    }
  }
}

/** Makes a buffer whose content starts at byte 4 a DATA, in place: the server reads a file straight into it. */
export function writeDataHeader(bytes: Uint8Array, block: number): Uint8Array {
  bytes[0] = 0;
  bytes[1] = OPCODES.of.DATA;
  bytes[2] = block >>> 8;
  bytes[3] = block;
  return bytes;
}

function flat(options: Options): string[] {
  return [...options].flat();
}

function strings(is: "RRQ" | "WRQ" | "OACK", texts: readonly string[]): Uint8Array {
  const writer = new Writer(texts.reduce((sum, text) => sum + text.length + 1, 2)).u16(OPCODES.of[is]);
  for (const text of texts) putText(writer, text);
  return writer.bytes;
}

function putText(writer: Writer, text: string): Writer {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    writer.u8(code === 0 || code > 255 ? 0x3f : code);
  }
  return writer.u8(0);
}
