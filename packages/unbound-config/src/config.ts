import { endpoint, path } from "@firstlight/service";
import { z } from "zod";

const address = z.union([z.ipv4(), z.ipv6()]);
const network = z.union([z.cidrv4(), z.cidrv6()]);

const forwarder = z.strictObject({
  address: endpoint.describe("A resolver outside the site; port 853 where tlsName is set"),
  tlsName: z
    .string()
    .regex(/^[a-z0-9.-]{1,253}$/i)
    .optional()
    .describe("Ask over TLS, and only whoever has a certificate for this name"),
});

/** Section `unboundConfig` of the site's file. The embedded site has no recursive resolver: it is off. */
export const unboundConfigSchema = z
  .strictObject({
    enabled: z.boolean().default(false).describe("Whether this site's resolver is configured from here"),
    file: path().optional().describe("The configuration that unbound reads; default STATE/unbound.conf"),
    controlSocket: path()
      .optional()
      .describe("Unix socket of unbound's remote control, at most 107 bytes; default STATE/unbound.ctl"),
    checkconf: z
      .string()
      .min(1)
      .default("unbound-checkconf")
      .describe("Program that checks a configuration before it is put in place; skipped where it is not installed"),
    user: z
      .string()
      .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
      .optional()
      .describe(
        "Who unbound becomes once its sockets are open; it must be able to read the file. Default: who starts it",
      ),
    interfaces: z
      .array(address)
      .min(1)
      .max(64)
      .default(["127.0.0.1"])
      .describe("Addresses unbound answers at; one need not exist yet"),
    port: z.int().min(1).max(65_535).default(53).describe("Port of every interface"),
    threads: z.int().min(1).max(64).default(2).describe("Threads of unbound"),
    dnsd: z
      .array(endpoint)
      .min(1)
      .max(16)
      .default(["127.0.0.1:7053"])
      .describe("Where the site's zones are asked for: every replica of dnsd"),
    forwarders: z
      .array(forwarder)
      .max(16)
      .default([])
      .describe("Who is asked for everything else; none: the root servers and down"),
    allow: z
      .array(network)
      .max(256)
      .default([])
      .describe("Networks that may ask, beside the site's prefixes and this machine; all others are refused"),
    privateDomains: z
      .array(z.string().regex(/^[a-z0-9_.-]{1,253}$/))
      .max(256)
      .default([])
      .describe("Foreign domains that may answer with private addresses, beside the site's own"),
    trustAnchorFile: path().optional().describe("DNSSEC trust anchor; absent: nothing is validated"),
    tlsCertBundle: path()
      .default("/etc/ssl/certs/ca-certificates.crt")
      .describe("Certificate authorities of forwarders over TLS"),
    settleMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(1000)
      .describe("A changed name is flushed at once and again after this time, for dnsd may hear of it later than we"),
    maxFlushes: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(4096)
      .describe("Names waiting to be flushed; beyond: their zones whole"),
    statusMs: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(5000)
      .describe("An unbound that was told nothing for this long is asked whether it is there"),
    health: endpoint.default("127.0.0.1:7154").describe("/health, /ready, /metrics"),
  })
  .superRefine((config, context) => {
    const overTls = config.forwarders.filter(({ tlsName }) => tlsName !== undefined).length;
    if (overTls !== 0 && overTls !== config.forwarders.length) {
      context.addIssue({
        code: "custom",
        path: ["forwarders"],
        message: "want tlsName at each or at none: unbound asks all of a zone's forwarders alike",
      });
    }
  })
  .prefault({});

export type UnboundConfig = z.output<typeof unboundConfigSchema>;
