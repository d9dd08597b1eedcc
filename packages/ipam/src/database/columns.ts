/**
 * The columns that a statement returns, declared beside it and checked where its rows arrive.
 * The type of a row is derived from its columns. A value of another type is a bug of the statement or of the schema.
 */

/** One column: what it must be, for the error, and how its value is read. */
export interface Column<T> {
  readonly want: string;
  /** The value, or undefined where it is of another type. */
  readonly read: (value: unknown) => T | undefined;
}

/** A column that may be NULL. Its field is absent then. */
export interface OptionalColumn<T> extends Column<T> {
  readonly isOptional: true;
}

type Columns = Readonly<Record<string, Column<unknown>>>;
type OptionalKey<C extends Columns> = {
  [K in keyof C]: C[K] extends OptionalColumn<unknown> ? K : never;
}[keyof C];
type ValueOf<C> = C extends Column<infer T> ? T : never;

/** The row that columns give. */
type RowOf<C extends Columns> = { readonly [K in Exclude<keyof C, OptionalKey<C>>]: ValueOf<C[K]> } & {
  readonly [K in OptionalKey<C>]?: ValueOf<C[K]>;
};

export const text: Column<string> = {
  want: "text",
  read: (value) => (typeof value === "string" ? value : undefined),
};

/** A whole number. An `int8` is text on a connection that does not parse it. */
export const integer: Column<number> = {
  want: "an integer",
  read(value) {
    const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
    return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
  },
};

/** A `float8` of milliseconds since 1970, which is how statements return a time. */
export const instant: Column<number> = {
  want: "milliseconds",
  read: (value) => (typeof value === "number" && !Number.isNaN(value) ? value : undefined),
};

export const bytes: Column<Uint8Array> = {
  want: "bytes",
  read: (value) => (value instanceof Uint8Array ? value : undefined),
};

/** A jsonb object: a row of any kind, or the payload of an event. */
export const json: Column<Readonly<Record<string, unknown>>> = {
  want: "a JSON object",
  read: (value) => (isObject(value) ? value : undefined),
};

/** A text that is one of a closed list. */
export function oneOf<const T extends string>(list: readonly T[]): Column<T> {
  return { want: `one of ${list.join(", ")}`, read: (value) => list.find((one) => one === value) };
}

export function optional<T>(column: Column<T>): OptionalColumn<T> {
  return { ...column, isOptional: true };
}

/**
 * Reads the rows of a statement. Columns that are not declared are left out.
 * The reader throws an error that names the statement and the column where a value is of another type.
 */
export function rowOf<const C extends Columns>(statement: string, columns: C): (row: unknown) => RowOf<C> {
  const declared = Object.entries(columns);
  return (row) => {
    if (!isObject(row)) throw new Error(`statement ${statement}: a row is ${typeOf(row)}, want an object`);
    const read: Record<string, unknown> = {};
    for (const [name, column] of declared) {
      const value = row[name];
      if ((value === null || value === undefined) && "isOptional" in column) continue;
      const is = column.read(value);
      if (is === undefined) {
        throw new Error(`statement ${statement}: column ${name} is ${typeOf(value)}, want ${column.want}`);
      }
      read[name] = is;
    }
    return read as RowOf<C>;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return value === null ? "NULL" : "missing";
  return typeof value === "string"
    ? `the text ${JSON.stringify(value)}`
    : Array.isArray(value)
      ? "an array"
      : `a ${typeof value}`;
}
