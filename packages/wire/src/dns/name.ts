import { isMalformed, Malformed } from "../malformed.ts";
import { MAX_LABEL_BYTES, MAX_NAME_BYTES } from "./labels.ts";

/**
 * A domain name as text: presentation form (RFC 1035 §5.1) without the final dot, the root as `.`. Case is kept; a dot
 * or backslash inside a label reads `\.` and `\\`, any byte that is no visible ASCII reads `\DDD`.
 */
export type NameText = string;

declare const isName: unique symbol;

/**
 * A domain name as a value: its uncompressed wire form (RFC 1035 §3.1), one character an octet, `\x03lab\x04test\x00`.
 * A string, so that it compares with `===`, is a key of maps, and what follows a label is a slice of it. In records on
 * their way to a server it is in lower case.
 */
export type DomainName = string & { readonly [isName]: true };

/** The root, RFC 1035 §3.1. */
export const ROOT = "\0" as DomainName;

/** Reads a name from text; a final dot is accepted, case is kept. */
export function parseName(text: NameText): DomainName | Malformed {
  const wire = nameBytes(text);
  return isMalformed(wire) ? wire : (Buffer.from(wire).toString("latin1") as DomainName);
}

/** The name as people read it. */
export function nameText(name: DomainName): NameText {
  let text = "";
  for (let at = 0; ; at += 1 + name.charCodeAt(at)) {
    const label = firstLabel(name, at);
    if (label === "") return text || ".";
    text += (text && ".") + labelText(label);
  }
}

/** The octets of the label that begins at `at`; empty at the root. */
export function firstLabel(name: DomainName, at = 0): string {
  return name.slice(at + 1, at + 1 + name.charCodeAt(at));
}

/** The name without its first label. The root has none to give. */
export function parentName(name: DomainName): DomainName {
  return name === ROOT ? name : (name.slice(1 + name.charCodeAt(0)) as DomainName);
}

/** The name of `label`, a host label of 1 to 63 octets, below `parent`. Malformed: together they are longer than 255 octets. */
export function nameBelow(label: string, parent: DomainName): DomainName | Malformed {
  if (label.length === 0 || label.length > MAX_LABEL_BYTES) return labelFault(label.length)!;
  if (label.length + 1 + parent.length > MAX_NAME_BYTES) return new Malformed("name longer than 255 octets");
  return (String.fromCharCode(label.length) + label + parent) as DomainName;
}

/** Writes the name's octets at `at`; the offset behind them. `bytes` has room for `name.length` more. */
export function writeName(name: DomainName, bytes: Uint8Array, at: number): number {
  const { length } = name;
  for (let i = 0; i < length; i++) bytes[at + i] = name.charCodeAt(i);
  return at + length;
}

/** One label's octets as text, escaped. */
export function labelText(octets: string): string {
  return octets.replaceAll(/[.\\]|[^\x21-\x7e]/g, (octet) =>
    octet === "." || octet === "\\" ? `\\${octet}` : `\\${String(octet.charCodeAt(0)).padStart(3, "0")}`,
  );
}

/** The name's wire form, uncompressed, case kept. A final dot is accepted. */
export function nameBytes(text: NameText): Uint8Array | Malformed {
  if (text === "." || text === "") return Uint8Array.of(0);
  const wire = new Uint8Array(text.length + 2); // an escape is longer than what it stands for
  let label = 0; // where the length of the current label goes
  let at = 1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return new Malformed("name holds a character that is no octet", i);
    if (code === 0x2e) {
      const fault = labelFault(at - label - 1);
      if (fault) return fault;
      wire[label] = at - label - 1;
      label = at++;
    } else if (code === 0x5c) {
      const escape = unescape(text, i);
      if (escape.byte > 0xff) return new Malformed("bad escape in name", i);
      wire[at++] = escape.byte;
      i += escape.skip;
    } else wire[at++] = code;
  }
  const last = at - label - 1;
  if (last > 0) {
    const fault = labelFault(last);
    if (fault) return fault;
    wire[label] = last;
    label = at; // the root: zero already
  }
  return label + 1 > MAX_NAME_BYTES ? new Malformed("name longer than 255 octets") : wire.slice(0, label + 1);
}

function labelFault(length: number): Malformed | undefined {
  if (length === 0) return new Malformed("empty label in name");
  return length > MAX_LABEL_BYTES ? new Malformed("label longer than 63 octets") : undefined;
}

/** `\DDD` or `\X` (RFC 1035 §5.1) at `at`; a byte of 256 says it is neither. */
function unescape(text: string, at: number): { readonly byte: number; readonly skip: number } {
  const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4));
  if (digits) return { byte: Number(digits[0]), skip: 3 };
  const code = text.charCodeAt(at + 1);
  return Number.isNaN(code) || (code >= 0x30 && code <= 0x39) ? { byte: 256, skip: 0 } : { byte: code, skip: 1 };
}

/** Names are equal without regard to ASCII case, and to nothing but ASCII case (RFC 4343 §3). */
export function foldName<Name extends NameText | DomainName>(name: Name): Name {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) as Name; // a length octet is below `A`
}
