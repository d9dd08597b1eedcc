import {
  formatAddress,
  formatMac,
  formatPrefix,
  isMalformed,
  Malformed,
  parseAddress,
  parseMac,
  parsePrefix,
} from "@firstlight/wire";
import type { z } from "zod";

/** A column: how its values look in JSON, what the site's file asks of them, and their one form as text. */
export interface SheetColumn {
  readonly form: "text" | "whole" | "flag" | "list";
  readonly schema?: z.ZodType;
  /** The one way to write a value that the schema took. */
  readonly canonical?: (text: string) => string | Malformed;
  /** `key`: names the row; `required`: a row needs it. */
  readonly is?: "key" | "required";
  /** A resource pool may give it: `pool:NAME`. */
  readonly isPooled?: boolean;
  /** Free text, in which a space at the end is part of the name. */
  readonly isFree?: boolean;
  /** An empty cell leaves what is there: the value follows from the others. */
  readonly isKept?: boolean;
  /** What an empty cell means. */
  readonly otherwise?: string;
}

/** A value as JSON and YAML have it; a list is written `a b` in a cell, `["a b"]` where an item holds a space. */
export type Plain = string | number | boolean | null | readonly string[];

/** The text of a cell as a plain value; text that is of another form stays text, and the schema says so. */
export function plainOf({ form }: SheetColumn, text: string): Plain {
  if (text === "") return null;
  if (form === "whole") return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (form === "flag") return FLAGS[text.toLowerCase()] ?? text;
  return form === "list" ? listOf(text) : text;
}

/** The text of a plain value; undefined for what no cell can hold. */
export function textOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return listText(value);
  return undefined;
}

/** The one form of a cell, or what is wrong with it. */
export function canonical(column: SheetColumn, written: string): string | Malformed {
  const text = column.isFree === true ? written : written.trim();
  if (text === "") {
    if (column.is !== undefined) return new Malformed("must not be empty");
    return column.otherwise ?? "";
  }
  if (column.isPooled === true && FROM_POOL.test(text)) return text;
  const plain = plainOf(column, text);
  const read = column.schema?.safeParse(plain);
  if (read && !read.success) return new Malformed(lower(read.error.issues[0]!.message));
  if (column.form !== "list") return column.canonical ? column.canonical(text) : textOf(plain)!;
  const items = (plain as readonly string[]).map(column.canonical ?? ((item) => item));
  return items.find(isMalformed) ?? listText(items as string[]);
}

const FROM_POOL = /^pool:([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$/i;

/** The pool that is to give a value, by the name in its cell. */
export const poolIn = (value: unknown): string | undefined =>
  typeof value === "string" ? FROM_POOL.exec(value)?.[1] : undefined;

const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  "1": true,
  false: false,
  no: false,
  "0": false,
};

function listOf(text: string): readonly string[] {
  if (!text.startsWith("[")) return text.split(/[\s,]+/).filter((item) => item !== "");
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  } catch {
    // an item like any other, which the schema will refuse
  }
  return [text];
}

function listText(items: readonly string[]): string {
  const isPlain = items.length > 0 && items.every((item) => /^[^\s,[][^\s,]*$/.test(item));
  return isPlain ? items.join(" ") : JSON.stringify(items);
}

const lower = (message: string): string => message.replace(/^Invalid (input|option): /, "").replace(/^Too/, "too");

export const asAddress = (text: string): string | Malformed => rewrite(parseAddress(text), formatAddress);
export const asPrefix = (text: string): string | Malformed => rewrite(parsePrefix(text), formatPrefix);
export const asMac = (text: string): string | Malformed => rewrite(parseMac(text), formatMac);
export const asLower = (text: string): string => text.toLowerCase();

function rewrite<T>(value: T | Malformed, format: (value: T) => string): string | Malformed {
  return isMalformed(value) ? value : format(value);
}
