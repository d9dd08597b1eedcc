import { endpoint, path } from "@firstlight/service";
import { z } from "zod";

const GIGABYTE = 2 ** 30;

/** Section `tftpd` of the site's file. The defaults are the embedded site's. */
export const tftpdSchema = z
  .strictObject({
    listen: endpoint.default("127.0.0.1:6969").describe("Where to listen; port 69 in production"),
    engine: z.enum(["auto", "dgram", "batch"]).default("auto").describe("UDP engine; auto takes batch where it works"),
    root: path().optional().describe("Folder of the files served; default: STATE/artefacts/ipxe"),
    singlePort: z
      .boolean()
      .default(false)
      .describe("Send everything from the listening port, for networks that drop replies from another one"),
    blksize: z
      .int()
      .min(512)
      .max(65_464)
      .default(1468)
      .describe("Largest block granted; 1468 fills an Ethernet frame, more is fragmented"),
    windowsize: z.int().min(1).max(256).default(64).describe("Most blocks on their way at a time, where a client asks"),
    retryMs: z.int().min(10).max(60_000).default(1000).describe("First wait for an acknowledgement; it then doubles"),
    maxRetryMs: z.int().min(10).max(255_000).default(8000).describe("Longest wait for an acknowledgement"),
    retries: z.int().min(0).max(20).default(5).describe("Repetitions before a client counts as gone"),
    maxTransfers: z.int().min(1).max(16_384).default(1024).describe("Transfers at a time; beyond: silence"),
    maxTransfersPerClient: z.int().min(1).max(1024).default(16).describe("Transfers of one address at a time"),
    perClient: z
      .strictObject({
        perSecond: z.number().positive().default(20).describe("Requests a second in the long run"),
        burst: z.int().positive().default(60).describe("Requests at once"),
      })
      .prefault({})
      .describe("Requests taken from one address"),
    identityWaitMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(2000)
      .describe("An event waits this long for the feed to say whose lease the address is"),
    cacheFileBytes: z
      .int()
      .min(0)
      .max(64 * 2 ** 20)
      .default(4 * 2 ** 20)
      .describe("Files up to this size are kept in memory; larger ones are read as they are sent"),
    cacheBytes: z
      .int()
      .min(0)
      .max(GIGABYTE)
      .default(64 * 2 ** 20)
      .describe("Memory for such files"),
    health: endpoint.default("127.0.0.1:7169").describe("/health, /ready, /metrics"),
  })
  .superRefine(({ maxTransfers, blksize, windowsize }, context) => {
    if (maxTransfers * blksize * windowsize <= GIGABYTE) return;
    context.addIssue({
      code: "custom",
      path: ["windowsize"],
      message: "maxTransfers × blksize × windowsize would need more than 1 GiB of memory",
    });
  })
  .prefault({});

export type TftpdConfig = z.output<typeof tftpdSchema>;
