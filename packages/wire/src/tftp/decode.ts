import { Malformed } from "../malformed.ts";
import { MAX_REQUEST_BYTES, type Message, OPCODES, type Options } from "./message.ts";

const MAX_OPTIONS = 16;
const MAX_ERROR_TEXT = 256;

/** Reads one datagram; DATA is a view into `bytes`. Any bytes give a message or Malformed. */
export function decode(bytes: Uint8Array): Message | Malformed {
  if (bytes.length < 4) return new Malformed("shorter than any message", bytes.length);
  const number = (bytes[2]! << 8) | bytes[3]!; // block or error code, where there is one
  switch ((bytes[0]! << 8) | bytes[1]!) {
    case OPCODES.of.RRQ:
      return request("RRQ", bytes);
    case OPCODES.of.WRQ:
      return request("WRQ", bytes);
    case OPCODES.of.DATA:
      return { is: "DATA", block: number, data: bytes.subarray(4) };
    case OPCODES.of.ACK:
      return { is: "ACK", block: number }; // some clients pad it: what follows means nothing
    case OPCODES.of.ERROR:
      return { is: "ERROR", code: number, message: firstText(bytes.subarray(4, 4 + MAX_ERROR_TEXT)) };
    case OPCODES.of.OACK: {
      const strings = texts(bytes);
      return strings instanceof Malformed ? strings : withOptions(strings, 0, (options) => ({ is: "OACK", options }));
    }
    default:
      return new Malformed("unknown opcode", 0);
  }
}

function request(is: "RRQ" | "WRQ", bytes: Uint8Array): Message | Malformed {
  if (bytes.length > MAX_REQUEST_BYTES) return new Malformed("request longer than 512 bytes", MAX_REQUEST_BYTES);
  const strings = texts(bytes);
  if (strings instanceof Malformed) return strings;
  const [file, mode] = strings;
  if (file === undefined || file === "") return new Malformed("request without a file name", 2);
  if (mode === undefined) return new Malformed("request without a mode", 2);
  return withOptions(strings, 2, (options) => ({ is, file, mode: mode.toLowerCase(), options }));
}

/** The strings after the opcode, each ended by a zero; a tail of zeros is padding of old ROMs. */
function texts(bytes: Uint8Array): string[] | Malformed {
  const strings: string[] = [];
  let start = 2;
  for (let at = 2; at < bytes.length; at++) {
    if (bytes[at] !== 0) continue;
    strings.push(text(bytes.subarray(start, at)));
    start = at + 1;
  }
  return start === bytes.length ? strings : new Malformed("text without an end", start);
}

function withOptions(
  strings: readonly string[],
  from: number,
  make: (options: Options) => Message,
): Message | Malformed {
  const options = new Map<string, string>();
  for (let at = from; at < strings.length; at += 2) {
    const name = strings[at]!.toLowerCase();
    if (name === "") break;
    const value = strings[at + 1];
    if (value === undefined) return new Malformed("option without a value");
    if (!options.has(name)) options.set(name, value);
    if (options.size > MAX_OPTIONS) return new Malformed("too many options");
  }
  return make(options);
}

function firstText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return text(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Byte for character, so that nothing is lost and nothing is refused for its encoding. */
function text(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}
