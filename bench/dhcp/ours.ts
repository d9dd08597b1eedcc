import { join } from "node:path";
import type { Contender } from "../harness/contract.ts";
import { NODE, startDaemon, startDatabase, writeSite } from "../harness/firstlight.ts";
import { startPinned } from "../harness/process.ts";
import { PREFIX, SERVER } from "./link.ts";

const HEALTH = "127.0.0.1:7491";

/**
 * dhcpd as in production: one process from a site's file, on its PostgreSQL with fsync on. The sequencer, which the API
 * service runs in production, is a process of its own here and counts as part of ours. The API is away: events wait in the spool.
 */
export const ours: Contender = {
  name: "firstlight",
  packages: [],
  async start(placement) {
    await using parts = new AsyncDisposableStack();
    const database = parts.use(await startDatabase(placement));
    const site = await writeSite(
      placement,
      {
        apiEndpoint: "127.0.0.1:9", // nothing listens there
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
          // The load is one relay with only unknown clients, which this limit would slow down.
          perRelayUnknown: { perSecond: 1_000_000, burst: 1_000_000 },
        },
      },
      database,
    );
    const sequencer = parts.use(
      startPinned("sequencer", NODE, [join(import.meta.dirname, "sequencer.ts"), database.url, site], placement),
    );
    await sequencer.untilLine(/^declared/, 60_000);
    const flags = (process.env["FIRSTLIGHT_BENCH_NODE_FLAGS"] ?? "").split(" ").filter(Boolean);
    const dhcpd = parts.use(await startDaemon("dhcpd", placement, site, HEALTH, flags));
    const owned = parts.move();
    return {
      pids: () => [dhcpd.pid, sequencer.pid, database.pid],
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};
