import { endpoint, path } from "@firstlight/service";
import { z } from "zod";

const argument = z
  .string()
  .regex(/^[!-~]{1,256}$/, "want one kernel argument: printable ASCII without spaces")
  .refine((word) => word !== "||" && word !== "&&" && !word.startsWith("firstlight."), "is not for a site to set");

const kernelArguments = (...words: string[]) =>
  z.array(argument).max(32).default(words).describe("Kernel arguments before Firstlight's own");

/** Section `pxeHttp` of the site's file. The defaults are the embedded site's. */
export const pxeHttpSchema = z
  .strictObject({
    listen: endpoint.default("127.0.0.1:7080").describe("Where machines fetch from; port 80 suits every firmware"),
    baseUrl: z
      .url({ protocol: /^https?$/ })
      .regex(/^[!-~]+$/, "want printable ASCII without spaces")
      .optional()
      .describe("This server as machines reach it, the same for all replicas; default: http://LISTEN")
      .transform((url) => url?.replace(/\/+$/, "")),
    artefacts: path().optional().describe("Folder of kernels, initrds and iPXE builds; default: STATE/artefacts"),
    vrf: z.string().default("default").describe("Routing context in which machines reach this server"),
    kernelArguments: z
      .strictObject({
        discovery: kernelArguments("console=ttyS0"),
        cleanup: kernelArguments("console=ttyS0"),
        dpu: kernelArguments("console=ttyS0"),
      })
      .prefault({}),
    waitSeconds: z.int().min(1).max(3600).default(10).describe("A machine that has to wait asks again after this long"),
    lastDecisionSeconds: z
      .int()
      .min(0)
      .max(3600)
      .default(300)
      .describe("With the API away, a ready machine is sent to its local disk by a decision of this age; 0: never"),
    identityWaitMs: z
      .int()
      .min(0)
      .max(10_000)
      .default(2000)
      .describe("How long an address without a lease may wait for the feed before it is refused"),
    cacheBytes: z
      .int()
      .min(0)
      .max(16 * 2 ** 30)
      .default(256 * 2 ** 20)
      .describe("Memory for artefacts fetched lately; a file of more than half of it is always read from disk"),
    maxConnections: z.int().min(1).max(65_536).default(4096).describe("Connections at a time"),
    maxConnectionsPerClient: z.int().min(1).max(1024).default(16).describe("Connections of one address at a time"),
    perClient: z
      .strictObject({
        perSecond: z.number().positive().default(50).describe("Requests a second in the long run"),
        burst: z.int().positive().default(200).describe("Requests at once"),
      })
      .prefault({})
      .describe("Requests taken from one address, by all replicas together"),
    health: endpoint.default("127.0.0.1:7180").describe("/health, /ready, /metrics"),
  })
  .prefault({});

export type PxeHttpConfig = z.output<typeof pxeHttpSchema>;
