import { Writer } from "../bytes.ts";
import { Malformed } from "../malformed.ts";

const encoder = new TextEncoder();
const MAX_NAMES = 64;

/** A search list, RFC 3397: names in DNS form, where a pointer counts from the start of the joined option. */
export function readDomains(bytes: Uint8Array): readonly string[] | Malformed {
  const names: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (names.length === MAX_NAMES) return new Malformed("too many search domains", at);
    const name = readName(bytes, at);
    if (name instanceof Malformed) return name;
    names.push(name.labels.join("."));
    at = name.next;
  }
  return names.length === 0 ? new Malformed("empty search list") : names;
}

/** One name from `at`: its labels, and where the next name begins. Pointers go back only, so it ends. */
function readName(bytes: Uint8Array, from: number): { labels: string[]; next: number } | Malformed {
  const labels: string[] = [];
  let [at, next, floor, length] = [from, -1, from, 0];
  for (;;) {
    const size = bytes[at];
    if (size === undefined) return new Malformed("name runs past the option", at);
    if (size === 0) return { labels, next: next < 0 ? at + 1 : next };
    if (size >= 0xc0) {
      const target = ((size & 0x3f) << 8) | (bytes[at + 1] ?? 0xffff);
      if (target >= floor) return new Malformed("name points forward", at);
      if (next < 0) next = at + 2;
      [at, floor] = [target, target];
      continue;
    }
    length += size + 1;
    if (size > 63 || length > 254) return new Malformed("label or name too long", at);
    const label = bytes.subarray(at + 1, at + 1 + size);
    if (label.length < size) return new Malformed("name runs past the option", at);
    labels.push(printable(label));
    at += 1 + size;
  }
}

/** A label as text; what is not plain (a dot within, control bytes) becomes `?`: it is for people and never looked up. */
function printable(label: Uint8Array): string {
  return String.fromCharCode(...label.map((byte) => (byte > 0x20 && byte < 0x7f && byte !== 0x2e ? byte : 0x3f)));
}

/** Without compression, which RFC 3397 §2 allows and old clients prefer. Labels beyond 63 bytes are cut. */
export function writeDomains(names: readonly string[]): Uint8Array {
  const labels = names.map((name) => name.split(".").flatMap((label) => (label === "" ? [] : [encoder.encode(label)])));
  const writer = new Writer(labels.flat().reduce((sum, label) => sum + 1 + Math.min(label.length, 63), names.length));
  for (const name of labels) {
    for (const label of name)
      writer.u8(Math.min(label.length, 63)).put(label.length > 63 ? label.subarray(0, 63) : label);
    writer.u8(0);
  }
  return writer.bytes;
}
