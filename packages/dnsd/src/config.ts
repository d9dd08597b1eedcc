import { endpoint } from "@firstlight/service";
import { EDNS_PAYLOAD_BYTES, PLAIN_PAYLOAD_BYTES } from "@firstlight/wire/dns";
import { z } from "zod";

/** Section `dnsd` of the site's file. The defaults are the embedded site's. */
export const dnsdSchema = z
  .strictObject({
    listen: z
      .array(endpoint)
      .min(1)
      .max(64)
      .default(["127.0.0.1:7053"])
      .describe("Where to listen, UDP and TCP alike; port 53 in production"),
    engine: z.enum(["auto", "dgram", "batch"]).default("auto").describe("UDP engine; auto takes batch where it works"),
    health: endpoint.default("127.0.0.1:7153").describe("/health, /ready, /metrics"),
    nsAddresses: z
      .array(z.union([z.ipv4(), z.ipv6()]))
      .max(16)
      .default([])
      .describe("Addresses of the name servers (ns1 …) that have none in the IPAM; default: the listen addresses"),
    stalenessSeconds: z
      .int()
      .min(1)
      .max(30 * 86_400)
      .default(86_400)
      .describe("A replica older than this is not served: SERVFAIL"),
    payloadBytes: z
      .int()
      .min(PLAIN_PAYLOAD_BYTES)
      .max(4096)
      .default(EDNS_PAYLOAD_BYTES)
      .describe("Longest UDP reply; what does not fit goes over TCP"),
    tcp: z
      .strictObject({
        connections: z.int().min(1).max(65_536).default(256).describe("Connections at a time"),
        perAddress: z.int().min(1).max(65_536).default(32).describe("Connections of one client address at a time"),
        idleSeconds: z
          .int()
          .min(1)
          .max(600)
          .default(10)
          .describe("A connection without a whole query for this long ends"),
      })
      .prefault({}),
  })
  .prefault({});

export type DnsdConfig = z.output<typeof dnsdSchema>;
