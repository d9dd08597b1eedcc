import { isMalformed } from "@firstlight/wire";
import { type Conversion, type Field, type FieldTable, rowName } from "./field.ts";
import { plainOf, poolIn, type SheetColumn, textOf } from "./sheet-column.ts";

type Values = Readonly<Record<string, unknown>>;
type AnyConversion = Conversion<unknown, unknown>;

const conversionOf = ({ conversion }: Field): AnyConversion | undefined => conversion as AnyConversion | undefined;

/** What is wrong with a value, as an error to throw. */
export type Refusal = (field: string, value: unknown, because: string) => Error;

/**
 * Values of the site's file as an edit has them. What is undefined there is cleared; what is not there stays or, in a
 * `whole` record, is cleared too unless the table keeps it.
 */
export function readValues(
  table: FieldTable,
  values: Values,
  refuse: Refusal,
  { isWhole = false, within = "" }: { readonly isWhole?: boolean; readonly within?: string } = {},
): Record<string, unknown> {
  const edit: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(table)) {
    if (!(name in values) && (!isWhole || field.isKept === true)) continue;
    const value = values[name];
    const read = readValue(field, value, within);
    if (isMalformed(read)) throw refuse(name, value, read.because);
    edit[rowName(name, field)] = read;
  }
  return edit;
}

function readValue(field: Field, value: unknown, within: string): unknown {
  const conversion = conversionOf(field);
  const isPooled = field.by === "pool" && typeof value === "object";
  return conversion === undefined || value === undefined || isPooled ? value : conversion.read(value, within);
}

/** The fields of a record as the site's file has them; what is absent is left out. */
export function writeValues(table: FieldTable, row: object): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(table)) {
    const value = (row as Values)[rowName(name, field)];
    if (value === undefined) continue;
    const conversion = conversionOf(field);
    values[name] = conversion ? conversion.write(value) : value;
  }
  return values;
}

/** A record's value as JSON of its SQL column. */
export function columnValue(field: Field, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  const conversion = conversionOf(field);
  return conversion ? conversion.toColumn(value) : value;
}

/** The columns of a sheet, each with its rule and what an empty cell means. */
export function sheetColumns(table: FieldTable): Record<string, SheetColumn> {
  const columns = Object.entries(table).map(([name, field]): readonly [string, SheetColumn] => {
    const { sheet, schema, by, usesCanonicalOnly, otherwise } = field;
    const isPlain = usesCanonicalOnly !== true;
    const common = { ...sheet, ...(isPlain && { schema }), ...(by === "pool" && { isPooled: true }) };
    if (sheet.is !== undefined) return [name, common];
    return [name, { ...common, otherwise: otherwise ?? textOf(schema.safeParse(undefined).data) ?? "" }];
  });
  return Object.fromEntries(columns);
}

/** Values of the site's file as the cells of a sheet. */
export function cellsOf(table: FieldTable, values: Values): Record<string, string> {
  const cells = Object.entries(table).map(([name, { cell, otherwise = "" }]) => {
    const value = values[name];
    if (value === undefined) return [name, otherwise];
    return [name, textOf(cell ? (value as never[]).map(cell.write) : value)!];
  });
  return Object.fromEntries(cells) as Record<string, string>;
}

/** A cell as a value of the site's file; undefined where it is empty. */
export function fromCell(field: Field, text: string): unknown {
  const value = plainOf(field.sheet, text) ?? undefined;
  if (value === undefined) return undefined;
  const pool = field.by === "pool" ? poolIn(value) : undefined;
  if (pool !== undefined) return { pool };
  return field.cell ? (value as string[]).map(field.cell.read) : value;
}
