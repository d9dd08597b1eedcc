import { join } from "node:path";
import type { Contender } from "../harness/contract.ts";
import { NODE, startDaemon, startDatabase, writeSite } from "../harness/firstlight.ts";
import { startPinned } from "../harness/process.ts";
import { PREFIX, SERVER } from "./link.ts";

const HEALTH = "127.0.0.1:7491";

/**
 * dhcpd as in production: one process from a site's file, on its PostgreSQL with fsync on. The sequencer, which the API
 * service runs otherwise, runs alone beside it and counts with it; the API itself is away, its events wait in the spool.
 */
export const ours: Contender = {
  name: "firstlight",
  packages: [],
  async start(place) {
    await using parts = new AsyncDisposableStack();
    const database = parts.use(await startDatabase(place));
    const site = await writeSite(
      place,
      {
        apiEndpoint: "127.0.0.1:9", // nobody listens
        ipam: {
          domains: [{ name: "bench.internal" }],
          segments: [
            {
              name: "bench",
              domain: "bench.internal",
              prefixes: [{ prefix: `${PREFIX.network}/${PREFIX.length}`, gateway: SERVER, reserved: 256 }],
            },
          ],
        },
        dhcpd: {
          listen: [{ address: `${SERVER}:67` }],
          health: HEALTH,
          // What protects a site from one machine, or from one relay's unknown machines, is what this bench consists of.
          perRelayUnknown: { perSecond: 1_000_000, burst: 1_000_000 },
        },
      },
      database,
    );
    const keeper = parts.use(
      startPinned("keeper", NODE, [join(import.meta.dirname, "keeper.ts"), database.url, site], place),
    );
    await keeper.until(/^declared/, 60_000);
    const flags = (process.env["FIRSTLIGHT_BENCH_NODE_FLAGS"] ?? "").split(" ").filter(Boolean);
    const dhcpd = parts.use(await startDaemon("dhcpd", place, site, HEALTH, flags));
    const owned = parts.move();
    return {
      pids: () => [dhcpd.pid, keeper.pid, database.pid],
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};
