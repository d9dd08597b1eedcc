import { isMalformed, Malformed } from "@firstlight/wire";
import { z } from "zod";
import type { Cell, Field } from "./field.ts";
import { asAddress, asPrefix } from "./sheet-column.ts";

type Route = { readonly to: string; readonly via: string };

/** DHCP options of a segment, in the registry's names; what is absent is not sent. They share the SQL column `options`. */
export const SEGMENT_OPTION_FIELDS = {
  routers: {
    schema: z.array(z.ipv4()).optional().describe("Default: the prefix's gateway"),
    sql: "jsonb",
    sheet: { form: "list", canonical: asAddress },
  },
  domainNameServers: {
    schema: z.array(z.ipv4()).optional().describe("Option 6"),
    sql: "jsonb",
    sheet: { form: "list", canonical: asAddress },
  },
  ntpServers: {
    schema: z.array(z.ipv4()).optional().describe("Option 42"),
    sql: "jsonb",
    sheet: { form: "list", canonical: asAddress },
  },
  domainSearch: {
    schema: z.array(z.string()).optional().describe("Default: the segment's domain"),
    sql: "jsonb",
    sheet: { form: "list" },
  },
  staticRoutes: {
    schema: z
      .array(z.strictObject({ to: z.cidrv4().describe("A prefix"), via: z.ipv4().describe("Its router") }))
      .optional()
      .describe("Option 121"),
    sql: "jsonb",
    sheet: { form: "list", canonical: asRoute },
    usesCanonicalOnly: true,
    cell: {
      read(text) {
        const [to, via] = text.split("=");
        return { to: to!, via: via! };
      },
      write: ({ to, via }) => `${to}=${via}`,
    } satisfies Cell<Route>,
  },
} as const satisfies Readonly<Record<string, Field>>;

/** A route in a cell: `10.0.0.0/8=10.1.0.1`. */
function asRoute(text: string): string | Malformed {
  const [to, via, ...more] = text.split("=");
  if (to === undefined || via === undefined || more.length > 0) return new Malformed("want PREFIX=ROUTER");
  const [prefix, router] = [asPrefix(to), asAddress(via)];
  if (isMalformed(prefix)) return prefix;
  return isMalformed(router) ? router : `${prefix}=${router}`;
}
