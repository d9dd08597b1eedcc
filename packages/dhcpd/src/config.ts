import { endpoint } from "@firstlight/service";
import { z } from "zod";

const rate = (what: string, perSecond: number, burst: number) =>
  z
    .strictObject({
      perSecond: z.number().positive().default(perSecond).describe(`${what} a second in the long run`),
      burst: z.int().positive().default(burst).describe(`${what} at once`),
    })
    .prefault({});

const listener = z.strictObject({
  address: endpoint.describe("Where to listen; port 67 in production"),
  device: z.string().optional().describe("Only packets of this network device (Linux, engine batch)"),
  segmentAddress: z
    .ipv4()
    .optional()
    .describe("Address that finds the segment of clients without a relay; default: the listen address"),
});

/** Section `dhcpd` of the site's file. The defaults are the embedded site's. */
export const dhcpdSchema = z
  .strictObject({
    listen: z
      .array(listener)
      .min(1)
      .max(64)
      .default([{ address: "127.0.0.1:6767" }])
      .describe("Sockets"),
    engine: z.enum(["auto", "dgram", "batch"]).default("auto").describe("UDP engine; auto takes batch where it works"),
    serverId: z
      .ipv4()
      .optional()
      .describe("Option 54: an address that every replica answers to; default: the listen address"),
    serverIds: z
      .array(z.ipv4())
      .max(64)
      .default([])
      .describe("Further addresses that stand for this server in a REQUEST"),
    nextServer: z.ipv4().default("127.0.0.1").describe("TFTP server: siaddr, sname, option 66"),
    bootUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("pxe-http as machines reach it; default: pxeHttp.baseUrl, else http:// and pxeHttp.listen")
      .transform((url) => url?.replace(/\/+$/, "")),
    files: z
      .record(z.string(), z.string().min(1).max(64))
      .default({})
      .describe("Boot file by architecture (x86-bios, x64-efi, arm64-http …), before the built-in table"),
    health: endpoint.default("127.0.0.1:7167").describe("/health, /ready, /metrics"),
    offerHoldSeconds: z.int().min(1).max(600).default(30).describe("An offered address is kept from others this long"),
    maxPending: z
      .int()
      .min(1)
      .max(100_000)
      .default(32_768)
      .describe("Promises waiting for the database; beyond: silence"),
    patienceSeconds: z
      .int()
      .min(1)
      .max(600)
      .default(40)
      .describe(
        "A client not heard of for this long waits for no promise; while the wait is half as long, no new offers",
      ),
    maxBatch: z.int().min(1).max(512).default(512).describe("Promises in one transaction"),
    commitDeadlineMs: z.int().min(100).max(60_000).default(5000).describe("After this the database counts as away"),
    lookupDeadlineMs: z.int().min(50).max(10_000).default(500).describe("Longest question about an unknown client"),
    maxLookups: z.int().min(1).max(1024).default(64).describe("Questions about unknown clients at a time"),
    awayMarginSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(60)
      .describe("Without the database a promise ends this long before the address may go to another"),
    relays: z.array(z.cidrv4()).optional().describe("Networks of trusted relays; default: any"),
    perClient: rate("Packets", 20, 60).describe("Packets taken from one hardware address"),
    perRelayUnknown: rate("Packets", 200, 2000).describe(
      "Packets taken from unknown hardware addresses behind one relay",
    ),
    routineEvents: rate("Events", 200, 2000).describe(
      "DISCOVERs and OFFERs told to the flight recorder; beyond: counted",
    ),
  })
  .superRefine((config, context) => {
    for (const [i, { address }] of config.listen.entries()) {
      if (address.startsWith("[")) {
        context.addIssue({
          code: "custom",
          path: ["listen", i, "address"],
          message: "want an IPv4 address: this is DHCPv4",
        });
      } else if (address.startsWith("0.0.0.0:") && config.serverId === undefined) {
        context.addIssue({
          code: "custom",
          path: ["serverId"],
          message: "is needed where the listen address is 0.0.0.0",
        });
      }
    }
  })
  .prefault({});

export type DhcpdConfig = z.output<typeof dhcpdSchema>;
