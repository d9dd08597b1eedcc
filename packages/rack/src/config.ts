import { endpoint } from "@firstlight/service";
import { z } from "zod";

const gateway = (address: string, what: string) =>
  z
    .strictObject({
      gateway: z.ipv4().default(address).describe(`Address of the relay in front of ${what}: finds the segment`),
    })
    .prefault({});

/** Section `rack` of the site's file: a simulated rack. The defaults are the embedded site's. */
export const rackSchema = z
  .strictObject({
    machines: z.int().min(1).max(100_000).default(4).describe("Machines, of three interfaces each"),
    seed: z
      .int()
      .min(0)
      .max(0xffffffff)
      .default(1)
      .describe("Chance of the rack (transaction ids, waits): the same seed, the same rack"),
    servers: z
      .strictObject({
        dhcp: endpoint.default("127.0.0.1:6767").describe("Where the relays forward to"),
        tftpPort: z
          .int()
          .min(1)
          .max(65_535)
          .default(6969)
          .describe("TFTP port of the server that DHCP names; 69 in production"),
        dns: endpoint.default("127.0.0.1:7053").describe("Name server that machines ask about themselves"),
      })
      .prefault({}),
    segments: z
      .strictObject({
        bmc: gateway("127.64.0.1", "the BMCs"),
        dpu: gateway("127.65.0.1", "the DPUs"),
        host: gateway("127.66.0.1", "the hosts"),
      })
      .prefault({}),
    staggerMs: z.int().min(0).max(60_000).default(50).describe("Between one machine's power-on and the next"),
    concurrency: z
      .int()
      .min(1)
      .max(100_000)
      .default(256)
      .describe("Machines booting at a time; the next has power when one is done"),
    deadlineSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(300)
      .describe("A machine that is not done by then is reported with where it hangs"),
    until: z
      .enum(["script", "system"])
      .default("system")
      .describe("How far a machine boots: until it has its boot script, or until its system is up"),
    powerCycle: z
      .boolean()
      .default(false)
      .describe("Boot every host again when its machine is ready: it must land on its local disk"),
  })
  .prefault({});

export type RackConfig = z.output<typeof rackSchema>;
