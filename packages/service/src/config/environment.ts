import { parse } from "yaml";

/** One setting that comes from the environment. */
export interface Override {
  readonly variable: string;
  readonly path: readonly (string | number)[];
  readonly value: unknown;
  /** The variable's text, for a text setting whose value YAML reads as a number. */
  readonly text: string;
}

/** Variables that other programs use for the same setting; a `FIRSTLIGHT_…` variable for that setting wins over them. */
const WELL_KNOWN_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  DATABASE_URL: ["database", "url"],
  REDIS_URL: ["redis", "url"],
};

/** `FIRSTLIGHT_…` variables that are not settings: the CLI's context and those of the test suites. */
const RESERVED = /^FIRSTLIGHT_(CONTEXT$|TEST_|E2E_|BENCH_)/;

/**
 * The settings that come from the environment. `FIRSTLIGHT_` and the path in capitals: two underscores go one level
 * down, one underscore starts a new word, a number is an index of a list. The value is read as YAML.
 *
 *     FIRSTLIGHT_API_ENDPOINT=127.0.0.1:7070             apiEndpoint
 *     FIRSTLIGHT_DHCPD__SERVER_ID=192.0.2.1              dhcpd.serverId
 *     FIRSTLIGHT_DHCPD__LISTEN__0__ADDRESS=0.0.0.0:67    dhcpd.listen[0].address
 *     FIRSTLIGHT_DNSD__LISTEN="[127.0.0.1:53, '[::1]:53']"
 */
export function environmentOverrides(env: NodeJS.ProcessEnv): Override[] {
  const found: Override[] = [];
  for (const [variable, path] of Object.entries(WELL_KNOWN_VARIABLES)) {
    const text = env[variable];
    if (text !== undefined && text !== "") found.push({ variable, path, value: text, text });
  }
  for (const variable of Object.keys(env).sort()) {
    if (!variable.startsWith("FIRSTLIGHT_") || RESERVED.test(variable)) continue;
    const text = env[variable] ?? "";
    found.push({ variable, path: pathOf(variable), value: valueOf(text), text });
  }
  return found;
}

function pathOf(variable: string): (string | number)[] {
  return variable
    .slice("FIRSTLIGHT_".length)
    .split("__")
    .map((part) => (/^\d{1,5}$/.test(part) ? Number(part) : camel(part)));
}

const camel = (part: string): string =>
  part.toLowerCase().replaceAll(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

function valueOf(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0, logLevel: "error" });
  } catch {
    return text; // `[::1]:53` is not valid YAML; take it as text
  }
}

/** Sets the value at a path of a tree of plain objects and lists; missing sections and lists on the way are created. */
export function setAt(tree: Record<string, unknown>, path: readonly (string | number)[], value: unknown): void {
  let node = tree as Record<PropertyKey, unknown>;
  for (const [depth, key] of path.slice(0, -1).entries()) {
    const below = Object.hasOwn(node, key) ? node[key] : undefined;
    if (typeof below === "object" && below !== null) node = below as Record<PropertyKey, unknown>;
    else {
      const fresh = (typeof path[depth + 1] === "number" ? [] : {}) as Record<PropertyKey, unknown>;
      define(node, key, fresh);
      node = fresh;
    }
  }
  const last = path.at(-1);
  if (last !== undefined) define(node, last, value);
}

/** Defines an own property, so that a key `__proto__` is data like any other. */
function define(node: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true });
}
