import { Writer } from "../bytes.ts";
import { isMalformed, Malformed } from "../malformed.ts";
import { type Edns, FLAGS, MAX_MESSAGE_BYTES, type Message, type Question, type ResourceRecord } from "./message.ts";
import { nameBytes } from "./name.ts";
import { WRITE } from "./rdata.ts";
import { type Data, rowOf } from "./records.ts";
import { TYPES } from "./registry.ts";

/** Writes a message with compressed names (RFC 1035 §4.1.4). Malformed: a name or string that DNS cannot carry. */
export function encode(message: Message, limitBytes = MAX_MESSAGE_BYTES): Uint8Array | Malformed {
  const sheet = new Sheet(new Writer(limitBytes));
  const { questions, answers, authorities, additionals, edns } = message;
  sheet.writer.u16(message.id).u16(flagsOf(message)).u16(questions.length).u16(answers.length);
  sheet.writer.u16(authorities.length).u16(additionals.length + (edns ? 1 : 0));
  for (const question of questions) sheet.question(question);
  for (const record of [...answers, ...authorities, ...additionals]) sheet.record(record);
  if (edns) sheet.opt(edns, message.rcode);
  else if (message.rcode > 15) return new Malformed("response code needs EDNS"); // RFC 6891 §6.1.3
  if (sheet.fault) return sheet.fault;
  return sheet.writer.overrun ? new Malformed("message longer than its limit") : sheet.writer.done().slice();
}

function flagsOf(message: Message): number {
  let flags = ((message.opcode & 15) << 11) | (message.rcode & 15);
  for (const [flag, bit] of Object.entries(FLAGS)) if (message[flag as keyof typeof FLAGS]) flags |= bit;
  return flags;
}

/** A message while it is written: where each name stands already, and the first thing that could not be written. */
class Sheet {
  readonly writer: Writer;
  /** Suffixes written so far. The case must be equal too, or a name would come back in another's case. */
  readonly #names = new Map<string, number>();
  fault: Malformed | undefined;

  constructor(writer: Writer) {
    this.writer = writer;
  }

  question(question: Question): void {
    this.name(question.name);
    this.writer.u16(question.type).u16(question.class);
  }

  record(record: ResourceRecord): void {
    this.name(record.owner);
    this.writer.u16(record.type).u16(record.class).u32(record.ttlSeconds).u16(0);
    const at = this.writer.at;
    this.data(record.data);
    const length = this.writer.at - at;
    if (length > 0xffff) this.fault ??= new Malformed("RDATA is too long");
    if (this.writer.overrun) return;
    this.writer.bytes[at - 2] = length >>> 8;
    this.writer.bytes[at - 1] = length;
  }

  data(data: Data): void {
    if (data.is === "raw") {
      this.writer.put(data.bytes);
      return;
    }
    for (const [field, shape] of rowOf(TYPES.of[data.is])!.fields) {
      const value = (data as unknown as Record<string, never>)[field]!;
      if (shape === "name") this.name(value);
      else if (shape === "plainName") this.name(value, false);
      else this.fault ??= WRITE[shape](this.writer, value);
    }
  }

  /** RFC 6891 §6.1.2. */
  opt(edns: Edns, rcode: number): void {
    const { writer } = this;
    writer.u8(0).u16(TYPES.of.OPT).u16(edns.payloadBytes);
    writer
      .u8(rcode >>> 4)
      .u8(edns.version)
      .u16(edns.dnssecOk ? 0x8000 : 0);
    writer.u16(edns.options.reduce((sum, option) => sum + 4 + option.bytes.length, 0));
    for (const option of edns.options) writer.u16(option.code).u16(option.bytes.length).put(option.bytes);
  }

  name(text: string, compresses = true): void {
    const wire = nameBytes(text);
    if (isMalformed(wire)) {
      this.fault ??= wire;
      return;
    }
    for (let at = 0; wire[at] !== 0; at += wire[at]! + 1) {
      const suffix = Buffer.from(wire.subarray(at)).toString("latin1");
      const known = this.#names.get(suffix);
      if (known !== undefined && compresses) {
        this.writer.u16(0xc000 | known);
        return;
      }
      if (known === undefined && this.writer.at < 0x4000) this.#names.set(suffix, this.writer.at);
      this.writer.put(wire.subarray(at, at + wire[at]! + 1));
    }
    this.writer.u8(0);
  }
}
