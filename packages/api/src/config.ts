import { endpoint } from "@firstlight/service";
import { z } from "zod";

const days = (most: number) => z.int().min(1).max(most);
const rows = z.int().min(1000).max(1_000_000_000);

/** How much history of addresses and changes is kept, and for how long: the smaller limit counts. */
const historySchema = z
  .strictObject({
    tenancyDays: days(3650).default(400).describe("How long it is known who had an address"),
    tenancies: rows.default(5_000_000).describe("Most of those kept that are over"),
    auditDays: days(3650).default(400).describe("How long it is known who changed what"),
    audited: rows.default(5_000_000).describe("Most changes kept"),
    sampleSeconds: z.int().min(10).max(86_400).default(300).describe("How often addresses in use are counted"),
    sampleDays: days(3650).default(90).describe("How long counts are kept, one an hour after two days"),
    trendDays: days(365).default(7).describe("Window of the trend"),
    reclaimPercent: z
      .int()
      .min(1)
      .max(100)
      .default(90)
      .describe("How full a prefix may be before retained addresses of absent strangers return to the pool"),
    strangerDays: days(3650)
      .default(90)
      .describe("How long an interface that nobody counts on is kept after it was last seen"),
  })
  .prefault({});

/** Section `api` of the site's file. */
export const apiSchema = z
  .strictObject({
    listen: endpoint.default("127.0.0.1:7070").describe("gRPC over mTLS; there is no plaintext"),
    health: endpoint.default("127.0.0.1:7170").describe("/health, /ready and /metrics over HTTP"),
    eventsPerMachine: z.int().min(100).max(100_000).default(2_000).describe("Newest events kept of each machine"),
    unknownEvents: z
      .int()
      .min(10)
      .max(100_000)
      .default(500)
      .describe("Newest events kept in each ring of unknown clients"),
    maxUnexpected: z.int().min(0).max(1_000_000).default(10_000).describe("Most machines that nobody expected"),
    history: historySchema,
    maxWatchers: z.int().min(1).max(10_000).default(64).describe("Most WatchMachines streams at once"),
  })
  .prefault({});

export type ApiConfig = z.output<typeof apiSchema>;
