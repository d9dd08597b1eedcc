import { Malformed } from "@firstlight/wire";
import type { Frame } from "./frame.ts";

const [SECTION, INTERFACE, SIMPLE, ENHANCED] = [0x0a0d0d0a, 1, 3, 6];
const BYTE_ORDER = 0x1a2b3c4d;
const TSRESOL = 9;

/** The link type and the time unit of one interface of a section. */
interface Interface {
  readonly link: number;
  readonly ticksPerMs: number;
}

export function isPcapng(bytes: Uint8Array): boolean {
  return bytes.length >= 28 && bytes[0] === 0x0a && bytes[1] === 0x0d && bytes[2] === 0x0d && bytes[3] === 0x0a;
}

/** The frames of a pcapng file, block by block; unknown blocks are skipped. */
export function readPcapng(bytes: Uint8Array): readonly Frame[] | Malformed {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames: Frame[] = [];
  let interfaces: Interface[] = [];
  let [at, little] = [0, true];
  while (at + 12 <= bytes.length) {
    if (view.getUint32(at, true) === SECTION) {
      little = view.getUint32(at + 8, true) === BYTE_ORDER;
      interfaces = [];
    }
    const [type, length] = [view.getUint32(at, little), view.getUint32(at + 4, little)];
    if (length < 12 || at + length > bytes.length) return new Malformed("block runs past the file", at);
    const body = new DataView(bytes.buffer, bytes.byteOffset + at + 8, length - 12);
    if (type === INTERFACE && body.byteLength >= 8) interfaces.push(readInterface(body, little));
    if (type === ENHANCED || type === SIMPLE) {
      const frame = type === ENHANCED ? enhanced(body, little, interfaces) : simple(body, little, interfaces);
      if (!frame) return new Malformed("packet runs past its block", at);
      frames.push(frame);
    }
    at += length;
  }
  return frames;
}

function readInterface(body: DataView, little: boolean): Interface {
  const link = body.getUint16(0, little);
  let at = 8;
  while (at + 4 <= body.byteLength) {
    const [code, length] = [body.getUint16(at, little), body.getUint16(at + 2, little)];
    if (code === TSRESOL && length === 1 && at + 4 < body.byteLength) {
      const value = body.getUint8(at + 4);
      return { link, ticksPerMs: (value & 0x80 ? 2 ** (value & 0x7f) : 10 ** value) / 1000 };
    }
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { link, ticksPerMs: 1000 };
}

function enhanced(body: DataView, little: boolean, interfaces: readonly Interface[]): Frame | undefined {
  if (body.byteLength < 20) return undefined;
  const on = interfaces[body.getUint32(0, little)];
  const length = body.getUint32(12, little);
  if (!on || 20 + length > body.byteLength) return undefined;
  const ticks = body.getUint32(4, little) * 2 ** 32 + body.getUint32(8, little);
  return { at: ticks / on.ticksPerMs, link: on.link, bytes: slice(body, 20, length) };
}

/** A simple packet block has no timestamp. */
function simple(body: DataView, little: boolean, interfaces: readonly Interface[]): Frame | undefined {
  const on = interfaces[0];
  if (!on || body.byteLength < 4) return undefined;
  return { at: 0, link: on.link, bytes: slice(body, 4, Math.min(body.getUint32(0, little), body.byteLength - 4)) };
}

function slice(body: DataView, from: number, length: number): Uint8Array {
  return new Uint8Array(body.buffer, body.byteOffset + from, length);
}
