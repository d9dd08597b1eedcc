import { addressBytes, Malformed, Writer } from "@firstlight/wire";
import { type Captured, type Frame, datagramIn } from "./frame.ts";
import { isPcapng, readPcapng } from "./pcapng.ts";

export type { Captured } from "./frame.ts";

const [MICROSECONDS, NANOSECONDS] = [0xa1b2c3d4, 0xa1b23c4d];
const RAW_IP = 101;

/** The UDP datagrams of a capture file, classic pcap or pcapng; other traffic and fragments are skipped. */
export function readPcap(bytes: Uint8Array): readonly Captured[] | Malformed {
  const frames = isPcapng(bytes) ? readPcapng(bytes) : readClassic(bytes);
  if (frames instanceof Malformed) return frames;
  return frames.flatMap((frame) => datagramIn(frame) ?? []);
}

function readClassic(bytes: Uint8Array): readonly Frame[] | Malformed {
  if (bytes.length < 24) return new Malformed("shorter than a pcap header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = [MICROSECONDS, NANOSECONDS].includes(view.getUint32(0, true));
  const magic = view.getUint32(0, little);
  if (magic !== MICROSECONDS && magic !== NANOSECONDS) return new Malformed("no pcap magic number");
  const fraction = magic === MICROSECONDS ? 1e3 : 1e6;
  const link = view.getUint32(20, little) & 0xffff;
  const frames: Frame[] = [];
  let at = 24;
  while (at + 16 <= bytes.length) {
    const length = view.getUint32(at + 8, little);
    if (at + 16 + length > bytes.length) return new Malformed("packet runs past the file", at);
    const time = view.getUint32(at, little) * 1000 + view.getUint32(at + 4, little) / fraction;
    frames.push({ at: time, link, bytes: bytes.subarray(at + 16, at + 16 + length) });
    at += 16 + length;
  }
  return frames;
}

/** A classic pcap file of raw IP packets. */
export function writePcap(datagrams: readonly Captured[]): Uint8Array {
  const packets = datagrams.map((datagram) => ({ at: datagram.at, bytes: packet(datagram) }));
  const writer = new Writer(24 + packets.reduce((sum, { bytes }) => sum + 16 + bytes.length, 0));
  writer.u32(MICROSECONDS).u16(2).u16(4).u32(0).u32(0).u32(262_144).u32(RAW_IP);
  for (const { at, bytes } of packets) {
    writer.u32(Math.floor(at / 1000)).u32(Math.round((at % 1000) * 1000));
    writer.u32(bytes.length).u32(bytes.length).put(bytes);
  }
  return writer.bytes;
}

function packet({ src, dst, sport, dport, payload }: Captured): Uint8Array {
  const udp = new Writer(8 + payload.length)
    .u16(sport)
    .u16(dport)
    .u16(8 + payload.length)
    .u16(0)
    .put(payload).bytes;
  const [from, to] = [addressBytes(src), addressBytes(dst)];
  const pseudo = new Writer(from.length * 2 + 8 + udp.length);
  pseudo.put(from).put(to).u32(udp.length).u32(17).put(udp); // RFC 8200 §8.1; for IPv4 the same sum, RFC 768
  new DataView(udp.buffer).setUint16(6, checksum(pseudo.bytes) || 0xffff);
  if (typeof src === "bigint") {
    return new Writer(40 + udp.length).u32(0x6000_0000).u16(udp.length).u8(17).u8(64).put(from).put(to).put(udp).bytes;
  }
  const ip = new Writer(20 + udp.length)
    .u16(0x4500)
    .u16(20 + udp.length)
    .u32(0)
    .u8(64)
    .u8(17)
    .u16(0)
    .put(from)
    .put(to);
  const { bytes } = ip.put(udp);
  new DataView(bytes.buffer).setUint16(10, checksum(bytes.subarray(0, 20)));
  return bytes;
}

/** The Internet checksum, RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
