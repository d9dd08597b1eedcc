import { z } from "zod";

/** `host:port` with an IPv4 literal or `[IPv6]`; port 0 lets the kernel choose. */
export const endpoint = z
  .string()
  .regex(/^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):\d{1,5}$/i, "want address:port, for example 127.0.0.1:6767");

/** The sections every daemon shares. Paths are relative to the file; secrets are files, never values. */
export const siteSchema = z.strictObject({
  site: z
    .strictObject({
      name: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,30}$/)
        .default("lab")
        .describe("The site's name: SPIFFE trust domain, metric label, log field"),
      drainSeconds: z
        .int()
        .min(0)
        .max(40)
        .default(10)
        .describe("How long a daemon that must stop may finish its running work"),
      stateDir: z.string().default(".firstlight").describe("Snapshots, spools, certificates, embedded PostgreSQL"),
    })
    .prefault({}),
  database: z
    .strictObject({
      url: z
        .string()
        .optional()
        .describe("postgres://user@host/db; absent: the embedded PostgreSQL. DATABASE_URL overrides"),
      passwordFile: z.string().optional().describe("File whose first line is the password"),
      poolSize: z
        .int()
        .min(1)
        .max(64)
        .default(4)
        .describe("Connections per daemon; up to the same number again for lease batches, when needed"),
    })
    .prefault({}),
  redis: z
    .strictObject({
      url: z.string().optional().describe("redis://host:port; absent: limits per process. REDIS_URL overrides"),
      passwordFile: z.string().optional().describe("File whose first line is the password"),
    })
    .prefault({}),
  trust: z
    .strictObject({
      dir: z.string().optional().describe("ca.crt and NAME.crt, NAME.key of each daemon; default STATE/trust"),
    })
    .prefault({}),
  apiEndpoint: endpoint.default("127.0.0.1:7070").describe("Where daemons and operators reach the API service"),
  log: z
    .strictObject({
      level: z
        .enum(["trace", "debug", "info", "warn", "error"])
        .default("info")
        .describe("The lowest level that is logged"),
    })
    .prefault({}),
  traces: z
    .strictObject({ endpoint: z.url().optional().describe("OTLP/HTTP collector; absent: no spans") })
    .prefault({}),
});

/** The shared sections after validation, with every path absolute and `trust.dir` filled in. */
export type SiteConfig = z.output<typeof siteSchema> & { readonly trust: { readonly dir: string } };
