/**
 * A registry is one list: a number and its name, both ways. An unknown number is no error; it keeps its value and
 * reads as `TYPE65400` and the like.
 */
export interface Registry<Name extends string> {
  readonly prefix: string;
  /** Name of a number, `PREFIXnnn` when it has none. */
  name(code: number): string;
  /** Number of a name, in any case, `PREFIXnnn` included; `undefined` when there is none. */
  code(name: string): number | undefined;
  /** The list itself, for code that wants `types.of.A`. */
  readonly of: Readonly<Record<Name, number>>;
}

export function registry<const List extends Readonly<Record<string, number>>>(
  prefix: string,
  list: List,
): Registry<Extract<keyof List, string>> {
  const names = new Map(Object.entries(list).map(([name, code]) => [code, name]));
  const codes = new Map(Object.entries(list).map(([name, code]) => [name.toLowerCase(), code]));
  const unknown = new RegExp(`^${prefix}(\\d+)$`, "i");
  return {
    prefix,
    of: list,
    name: (code) => names.get(code) ?? `${prefix}${code}`,
    code: (name) => codes.get(name.toLowerCase()) ?? numbered(unknown.exec(name)?.[1]),
  };
}

function numbered(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}
