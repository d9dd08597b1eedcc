/** One `name: value` of unbound.conf(5), in the order they are to be written. */
export type Directive = readonly [name: string, value: string | number | boolean];

/** A clause: `server:`, `stub-zone:` … */
export interface Clause {
  readonly is: "server" | "remote-control" | "stub-zone" | "forward-zone";
  /** A line above it that says why. */
  readonly because?: string;
  readonly directives: readonly Directive[];
}

/** The file's text. A value that its syntax cannot carry is a bug: what comes from people was refused at its door. */
export function write(clauses: readonly Clause[]): string {
  return clauses
    .map(({ is, because, directives }) => {
      const head = because === undefined ? [] : [`# ${because}`];
      return [...head, `${is}:`, ...directives.map(([name, value]) => `  ${name}: ${text(value)}`), ""].join("\n");
    })
    .join("\n");
}

function text(value: Directive[1]): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (/["\p{Cc}]/u.test(value)) throw new TypeError(`${JSON.stringify(value)} cannot stand in unbound.conf`);
  return /^[\w.:/@#-]+ (allow|refuse|transparent)$/.test(value) ? value : `"${value}"`;
}
