import type { z } from "zod";

/** One thing wrong with a site's configuration, and what to do about it. */
export interface Fault {
  /** `site.yaml:12`, `FIRSTLIGHT_DHCPD__SERVER_ID`, or the file alone. */
  readonly where: string;
  /** `dhcpd.listen[0].address`; empty: the file as a whole. */
  readonly path: string;
  readonly wrong: string;
  readonly remedy: string;
}

/** `FILE:LINE: path: what is wrong; remedy`, one line whatever the input was. */
export function faultLine({ where, path, wrong, remedy }: Fault): string {
  const line = `${where}: ${path === "" ? "" : `${path}: `}${wrong}; ${remedy}`;
  // oxlint-disable-next-line no-control-regex -- a file may hold any character, a fault is one printable line
  return line.replaceAll(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ");
}

/** Orders faults by line of the file; those of the environment come last. */
export function byLine(a: Fault, b: Fault): number {
  return lineOf(a) === lineOf(b) ? 0 : lineOf(a) - lineOf(b);
}

const lineOf = ({ where }: Fault): number => Number(/:(\d+)$/.exec(where)?.[1] ?? Number.POSITIVE_INFINITY);

/** `["dhcpd", "listen", 0]` as people write it: `dhcpd.listen[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/** The validator's issue in plain words: what is wrong, and the remedy. */
export function explain(issue: z.core.$ZodIssue, value: unknown): { wrong: string; remedy: string } {
  const is = value === undefined ? "missing" : `is ${valueText(value)}`;
  switch (issue.code) {
    case "invalid_type":
      return { wrong: is, remedy: `want ${EXPECTED[issue.expected] ?? issue.expected}` };
    case "invalid_value":
      return { wrong: is, remedy: `want one of ${issue.values.map(String).join(", ")}` };
    case "too_small":
      return {
        wrong: is,
        remedy: `want ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${COUNTED[issue.origin] ?? ""}`,
      };
    case "too_big":
      return {
        wrong: is,
        remedy: `want ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${COUNTED[issue.origin] ?? ""}`,
      };
    case "invalid_format":
      return {
        wrong: is,
        remedy: issue.message.startsWith("want ")
          ? issue.message
          : `want ${FORMATS[issue.format] ?? (issue.format === "regex" ? `text that matches ${issue.pattern}` : `a valid ${issue.format}`)}`,
      };
    case "invalid_union":
      return { wrong: is, remedy: unionRemedy(issue.errors, value) };
    default:
      return {
        wrong: value === undefined ? "missing" : `${valueText(value)} is not valid`,
        remedy: lowerFirst(issue.message),
      };
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a section of keys",
  record: "a section of keys",
  array: "a list",
};

const COUNTED: Readonly<Record<string, string>> = { string: " characters", array: " entries" };

const FORMATS: Readonly<Record<string, string>> = {
  ipv4: "an IPv4 address, for example 127.0.0.1",
  ipv6: "an IPv6 address, for example 2001:db8::1",
  cidrv4: "an IPv4 prefix, for example 10.0.0.0/24",
  cidrv6: "an IPv6 prefix, for example 2001:db8::/64",
  url: "a URL, for example http://127.0.0.1:4318",
};

function unionRemedy(errors: readonly (readonly z.core.$ZodIssue[])[], value: unknown): string {
  const remedies = new Set(errors.flatMap((branch) => branch.slice(0, 1).map((issue) => explain(issue, value).remedy)));
  return remedies.size === 0 ? "want another value" : [...remedies].slice(0, 4).join(", or ");
}

function valueText(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
