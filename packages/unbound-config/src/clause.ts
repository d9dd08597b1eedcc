/** One `name: value` of unbound.conf(5), in the order they are to be written. */
export type Directive = readonly [name: string, value: string | number | boolean, ...words: string[]];

/** A clause: `server:`, `stub-zone:` … */
export interface Clause {
  readonly is: "server" | "remote-control" | "stub-zone" | "forward-zone";
  readonly directives: readonly Directive[];
}

/** The file's text. A value that its syntax cannot carry is a bug: input is validated earlier. */
export function write(clauses: readonly Clause[]): string {
  return clauses.map(({ is, directives }) => [`${is}:`, ...directives.map(line), ""].join("\n")).join("\n");
}

function line([name, value, ...words]: Directive): string {
  return [`  ${name}: ${text(value)}`, ...words].join(" ");
}

function text(value: Directive[1]): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (/["\p{Cc}]/u.test(value)) throw new TypeError(`${JSON.stringify(value)} cannot stand in unbound.conf`);
  return `"${value}"`;
}
