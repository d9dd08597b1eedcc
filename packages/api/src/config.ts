import { endpoint } from "@firstlight/service";
import { z } from "zod";

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
    maxWatchers: z.int().min(1).max(10_000).default(64).describe("Most WatchMachines streams at once"),
  })
  .prefault({});

export type ApiConfig = z.output<typeof apiSchema>;
