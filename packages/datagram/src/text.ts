import { isIPv6 } from "node:net";

/** The number of an address as node:dgram writes it. This floor imports nothing of ours, so it reads its own. */
export function fromText(text: string): number | bigint {
  if (!isIPv6(text)) return text.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const [head = "", tail] = text.replace(/%.*$/, "").split("::");
  const high = groups(head);
  const low = tail === undefined ? [] : groups(tail);
  const zeros = Array<number>(8 - high.length - low.length).fill(0);
  return [...high, ...zeros, ...low].reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}

function groups(text: string): number[] {
  return text === ""
    ? []
    : text.split(":").flatMap((part) => (part.includes(".") ? pair(part) : [Number.parseInt(part, 16)]));
}

function pair(dotted: string): number[] {
  const value = fromText(dotted) as number;
  return [value >>> 16, value & 0xffff];
}

/** Text that node:dgram takes: dotted quad, or eight groups. */
export function toText(address: number | bigint): string {
  if (typeof address === "number") {
    return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
  }
  return Array.from({ length: 8 }, (_, i) => ((address >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(":");
}
