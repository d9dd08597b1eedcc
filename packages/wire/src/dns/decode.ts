import { addressFrom } from "../address.ts";
import { Reader } from "../bytes.ts";
import { isMalformed, Malformed } from "../malformed.ts";
import { type Edns, FLAGS, HEADER_BYTES, type Message, type Question, type ResourceRecord } from "./message.ts";
import { labels, nameFault, readName } from "./labels.ts";
import { labelText, type NameText } from "./name.ts";
import { type Data, rowOf, type Shape } from "./records.ts";
import { CLASSES, TYPES } from "./registry.ts";

/** Reads a whole message. Records of unknown type stay raw; bytes behind the last record are Malformed. */
export function decode(bytes: Uint8Array): Message | Malformed {
  if (bytes.length < HEADER_BYTES) return new Malformed("shorter than a header", bytes.length);
  const reader = new Reader(bytes);
  const [id, flags] = [reader.u16(), reader.u16()];
  const counts = [reader.u16(), reader.u16(), reader.u16(), reader.u16()] as const;
  const questions = list(reader, counts[0], readQuestion);
  if (isMalformed(questions)) return questions;
  const answers = list(reader, counts[1], readRecord);
  if (isMalformed(answers)) return answers;
  const authorities = list(reader, counts[2], readRecord);
  if (isMalformed(authorities)) return authorities;
  const rest = list(reader, counts[3], readRecord);
  if (isMalformed(rest)) return rest;
  if (reader.left > 0) return new Malformed("bytes behind the last record", reader.at);
  if ([...answers, ...authorities].some(isOpt)) return new Malformed("OPT outside the additional section");
  const opts = rest.filter(isOpt);
  if (opts.length > 1) return new Malformed("two OPT records"); // RFC 6891 §6.1.1
  const edns = opts[0] && readEdns(opts[0]);
  if (isMalformed(edns)) return edns;
  return {
    id,
    isResponse: (flags & FLAGS.isResponse) !== 0,
    opcode: (flags >>> 11) & 15,
    isAuthoritative: (flags & FLAGS.isAuthoritative) !== 0,
    isTruncated: (flags & FLAGS.isTruncated) !== 0,
    recursionDesired: (flags & FLAGS.recursionDesired) !== 0,
    recursionAvailable: (flags & FLAGS.recursionAvailable) !== 0,
    isAuthentic: (flags & FLAGS.isAuthentic) !== 0,
    checkingDisabled: (flags & FLAGS.checkingDisabled) !== 0,
    rcode: ((opts[0] ? opts[0].ttlSeconds >>> 24 : 0) << 4) | (flags & 15), // RFC 6891 §6.1.3
    questions,
    answers,
    authorities,
    additionals: rest.filter((record) => !isOpt(record)),
    ...(edns && { edns }),
  };
}

function isOpt(record: ResourceRecord): boolean {
  return record.type === TYPES.of.OPT;
}

function list<T>(reader: Reader, count: number, read: (reader: Reader) => T | Malformed): T[] | Malformed {
  const items: T[] = [];
  for (let i = 0; i < count; i++) {
    const item = read(reader); // each takes at least five bytes, so a lying count ends with the message
    if (isMalformed(item)) return item;
    items.push(item);
  }
  return items;
}

function readQuestion(reader: Reader): Question | Malformed {
  const name = takeName(reader);
  if (isMalformed(name)) return name;
  const question = { name, type: reader.u16(), class: reader.u16() };
  return reader.overrun ? new Malformed("question runs past the end", reader.at) : question;
}

function readRecord(reader: Reader): ResourceRecord | Malformed {
  const owner = takeName(reader);
  if (isMalformed(owner)) return owner;
  const [type, code, ttlSeconds, length] = [reader.u16(), reader.u16(), reader.u32(), reader.u16()];
  const at = reader.at;
  reader.take(length);
  if (reader.overrun) return new Malformed("record runs past the end", at);
  if (type === TYPES.of.OPT && owner !== ".") return new Malformed("OPT is not at the root", at); // RFC 6891 §6.1.2
  const data = readData(new Reader(reader.bytes, at, at + length), type, code);
  return isMalformed(data) ? data : { owner, type, class: code, ttlSeconds, data };
}

/** RDATA by its row. Address and service records are defined for the Internet class alone: raw in any other. */
function readData(reader: Reader, type: number, code: number): Data | Malformed {
  const row = code === CLASSES.of.IN || type === TYPES.of.TXT ? rowOf(type) : undefined;
  if (!row) return { is: "raw", bytes: reader.take(reader.left).slice() };
  const data: Record<string, unknown> = { is: row.is };
  for (const [field, shape] of row.fields) {
    const value = READ[shape](reader);
    if (isMalformed(value)) return value;
    data[field] = value;
  }
  if (reader.overrun) return new Malformed("RDATA is too short", reader.at);
  if (reader.left > 0) return new Malformed("RDATA is too long", reader.at);
  return data as unknown as Data;
}

const READ: Readonly<Record<Shape, (reader: Reader) => unknown>> = {
  ipv4: (reader) => reader.u32(),
  ipv6: (reader) => (reader.left < 16 ? new Malformed("RDATA is too short", reader.at) : addressFrom(reader.take(16))),
  u16: (reader) => reader.u16(),
  u32: (reader) => reader.u32(),
  name: takeName,
  plainName: takeName, // RFC 3597 §4: compressed names are still understood
  strings: takeStrings,
};

/** Where the name being read has its labels. */
const NAME = labels();

function takeName(reader: Reader): NameText | Malformed {
  const { bytes, at, end } = reader;
  const next = readName(bytes, at, end, "follow", NAME);
  if (next < 0) return new Malformed(nameFault(next), NAME.at);
  reader.at = next;
  let text = "";
  for (let label = 0; label < NAME.count; label++) {
    const start = NAME.starts[label]!;
    const octets = Buffer.from(bytes.subarray(start + 1, start + 1 + bytes[start]!)).toString("latin1");
    text += (text && ".") + labelText(octets);
  }
  return text || ".";
}

function takeStrings(reader: Reader): string[] | Malformed {
  const strings: string[] = [];
  do strings.push(Buffer.from(reader.take(reader.u8())).toString("latin1"));
  while (reader.left > 0);
  return strings;
}

function readEdns(opt: ResourceRecord): Edns | Malformed {
  const reader = new Reader(opt.data.is === "raw" ? opt.data.bytes : new Uint8Array(0));
  const options: { code: number; bytes: Uint8Array }[] = [];
  while (reader.left > 0) options.push({ code: reader.u16(), bytes: reader.take(reader.u16()) });
  if (reader.overrun) return new Malformed("EDNS option runs past its record");
  return {
    payloadBytes: opt.class,
    version: (opt.ttlSeconds >>> 16) & 255,
    dnssecOk: (opt.ttlSeconds & 0x8000) !== 0,
    options,
  };
}
