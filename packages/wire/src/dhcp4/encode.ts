import { Writer } from "../bytes.ts";
import { COOKIE } from "./decode.ts";
import type { Message } from "./message.ts";
import type { Options } from "./options.ts";

/** RFC 1542 §2.1: no relay or firmware is owed less than a BOOTP packet. */
const MIN_BYTES = 300;
const HEADER_BYTES = 240;
/** What every client must accept, RFC 2131 §2: 576 bytes of datagram, of which 28 are IP's and UDP's. */
export const DEFAULT_MAX_BYTES = 548;
const [MESSAGE_TYPE, SERVER_ID, RELAY_AGENT] = [53, 54, 82];

/**
 * Writes a DHCPv4 message: 53 first, 54 second, the rest in their order, 82 last (RFC 3046 §2.1), END, then zeros up to
 * 300 bytes. A value beyond 255 bytes is split by RFC 3396. Never a PAD between options and never overload: some
 * firmware reads neither. Call `fit` first where the receiver's size is limited. With `into` the result is a view of
 * it, good until it is used again; a message that does not fit there gets memory of its own.
 */
export function encode(message: Message, into?: Uint8Array): Uint8Array {
  const bytes = Math.max(MIN_BYTES, HEADER_BYTES + optionBytes(message.options) + 1);
  const writer = new Writer(into && into.length >= bytes ? into.subarray(0, bytes).fill(0) : bytes);
  writer.u8(message.op).u8(message.htype).u8(message.hlen).u8(message.hops);
  writer.u32(message.xid).u16(message.secs).u16(message.flags);
  writer.u32(message.ciaddr).u32(message.yiaddr).u32(message.siaddr).u32(message.giaddr);
  writer.put(message.chaddr.subarray(0, 16));
  putText(writer, 44, message.sname, 64);
  putText(writer, 108, message.file, 128);
  writer.at = HEADER_BYTES - 4;
  writer.u32(COOKIE);
  putOptions(writer, message.options);
  writer.u8(255);
  return writer.bytes;
}

/**
 * The message within `maxBytes` of UDP payload: options are left out from the last on, but never 53, 54 and 82.
 * What was left out is named, so that a missing option has its reason.
 */
export function fit(
  message: Message,
  maxBytes: number,
): { readonly message: Message; readonly dropped: readonly number[] } {
  let room = Math.max(maxBytes, DEFAULT_MAX_BYTES) - HEADER_BYTES - 1;
  if (optionBytes(message.options) <= room) return { message, dropped: [] };
  const must = new Set([MESSAGE_TYPE, SERVER_ID, RELAY_AGENT]);
  for (const code of must) room -= sizeOf(message.options.get(code));
  const kept = new Map<number, Uint8Array>();
  const dropped: number[] = [];
  for (const [code, value] of message.options) {
    if (must.has(code)) kept.set(code, value);
    else if (sizeOf(value) <= room) {
      kept.set(code, value);
      room -= sizeOf(value);
    } else dropped.push(code);
  }
  return { message: { ...message, options: kept }, dropped };
}

function optionBytes(options: Options): number {
  let bytes = 0;
  for (const value of options.values()) bytes += sizeOf(value);
  return bytes;
}

/** Bytes on the wire of one option: two more for each part of up to 255. */
function sizeOf(value: Uint8Array | undefined): number {
  return value ? value.length + 2 * Math.max(1, Math.ceil(value.length / 255)) : 0;
}

function putOptions(writer: Writer, options: Options): void {
  const [type, serverId, relay] = [options.get(MESSAGE_TYPE), options.get(SERVER_ID), options.get(RELAY_AGENT)];
  if (type) putOption(writer, MESSAGE_TYPE, type);
  if (serverId) putOption(writer, SERVER_ID, serverId);
  for (const [code, value] of options) {
    if (code !== MESSAGE_TYPE && code !== SERVER_ID && code !== RELAY_AGENT) putOption(writer, code, value);
  }
  if (relay) putOption(writer, RELAY_AGENT, relay);
}

function putOption(writer: Writer, code: number, value: Uint8Array): void {
  if (value.length <= 255) {
    writer.u8(code).u8(value.length).put(value); // no view of a view where one part is the whole
    return;
  }
  for (let at = 0; at < value.length; at += 255) {
    const part = value.subarray(at, at + 255);
    writer.u8(code).u8(part.length).put(part);
  }
}

/** A fixed text field, one byte a character; a text that fills it has no terminator left and loses its end. */
function putText(writer: Writer, at: number, value: string, size: number): void {
  writer.at = at;
  for (let i = 0; i < Math.min(value.length, size - 1); i++) writer.u8(value.charCodeAt(i));
}
