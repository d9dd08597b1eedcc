import { type Address, formatAddress, type Malformed, parseAddress } from "@firstlight/wire";
import type { z } from "zod";
import type { SheetColumn } from "./sheet-column.ts";

/**
 * One setting of a record. From its row derive: the schema of the site's file and of the API, the record's TypeScript type, the
 * SQL column, the column of a sheet, the API's mapping, and what an edit changes. The API's message has a field of the same name.
 */
export interface Field {
  /** Rules, default and meaning, as the site's file and the API have it. */
  readonly schema: z.ZodType;
  /** Type of its SQL column, as `information_schema` names it. The column is the record's field in snake case. */
  readonly sql: string;
  /** Its column in a sheet. */
  readonly sheet: Omit<SheetColumn, "schema" | "otherwise" | "isPooled">;
  /** A cell is checked by `sheet.canonical` alone, not by the schema. */
  readonly usesCanonicalOnly?: true;
  /** What an empty cell means, where that is not the schema's default. */
  readonly otherwise?: string;
  /** The record's field, where it is named otherwise. */
  readonly row?: string;
  /** What the record has in place of the file's value. */
  readonly conversion?: {
    readonly [K in keyof Conversion<never, never>]: (value: never, within: string) => unknown;
  };
  /** What a cell has in place of the file's value, for one item of a list. */
  readonly cell?: { readonly read: (text: string) => unknown; readonly write: (value: never) => string };
  /** The store writes it by a rule of its own: a domain's id, a resource pool's grant, the beginning and end of a drain. */
  readonly by?: "domain" | "pool" | "drain";
  /** An edit that does not name it leaves it as it is; otherwise what the site's file leaves out is cleared. */
  readonly isKept?: true;
}

export type FieldTable = Readonly<Record<string, Field>>;

/** How a value is written in the file (`File`), the record (`Row`) and JSON of the database. */
export interface Conversion<File, Row> {
  /** `within` is the prefix that a prefix's setting belongs to. */
  readonly read: (file: File, within: string) => Row | Malformed;
  readonly write: (row: Row) => File;
  readonly toColumn: (row: Row) => unknown;
  readonly fromColumn: (json: never) => Row | Malformed | undefined;
}

export interface Cell<File> {
  readonly read: (text: string) => File;
  readonly write: (file: File) => string;
}

export const ADDRESS: Conversion<string, Address> = {
  read: parseAddress,
  write: formatAddress,
  toColumn: formatAddress,
  fromColumn: parseAddress,
};

type Pooled = { readonly pool: string };
type Written<F extends Field> = z.output<F["schema"]>;
type RowValue<F extends Field> = F extends { readonly conversion: Conversion<infer _File, infer Row> }
  ? Row
  : Exclude<Written<F>, Pooled | undefined>;
type RowName<T extends FieldTable, K extends keyof T> = T[K] extends { readonly row: infer R extends string } ? R : K;
type IsOptional<F extends Field> = undefined extends Written<F> ? true : false;

/** The fields of a record, as its table has them. */
export type RowOf<T extends FieldTable> = {
  readonly [K in keyof T as IsOptional<T[K]> extends true ? never : RowName<T, K>]: RowValue<T[K]>;
} & {
  readonly [K in keyof T as IsOptional<T[K]> extends true ? RowName<T, K> : never]?: RowValue<T[K]>;
};

/** The schemas of a table, for an object of the site's file. */
export function schemasOf<T extends FieldTable>(table: T): { [K in keyof T]: T[K]["schema"] } {
  const schemas = Object.entries(table).map(([name, { schema }]) => [name, schema]);
  return Object.fromEntries(schemas) as { [K in keyof T]: T[K]["schema"] };
}

export const rowName = (name: string, field: Field): string => field.row ?? name;

export const columnName = (name: string, field: Field): string =>
  rowName(name, field).replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The fields of a table, each with its name in the record and its SQL column. */
export function columnsOf(table: FieldTable): readonly (readonly [name: string, column: string, field: Field])[] {
  return Object.entries(table).map(([name, field]) => [rowName(name, field), columnName(name, field), field]);
}
