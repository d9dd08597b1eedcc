/** The API service beside its database: boot decisions and events over mTLS, called as pxe-http and dhcpd call it. */
import { join } from "node:path";
import { fleet } from "@firstlight/rack";
import { type BenchClient, measureDecisions, openBenchClient, measureReports } from "./api/load.ts";
import { IPAM, leaseHosts } from "./api/leased-hosts.ts";
import type { Bench, Contender, RunningServer } from "./harness/contract.ts";
import { migrate, startDaemon, startDatabase, writeSite } from "./harness/firstlight.ts";

const MACHINES = 1000;
const LISTEN = "127.0.0.1:7879";
const HEALTH = "127.0.0.1:7979";

const clients = new WeakMap<RunningServer, BenchClient>();

const ours: Contender = {
  name: "firstlight",
  packages: [],
  async start(placement) {
    await using parts = new AsyncDisposableStack();
    const database = parts.use(await startDatabase(placement));
    const sections = {
      apiEndpoint: LISTEN,
      api: { listen: LISTEN, health: HEALTH },
      ipam: IPAM,
      expectedMachines: fleet(MACHINES),
    };
    const site = await writeSite(placement, sections, database);
    await migrate(placement, site);
    const api = parts.use(await startDaemon("api", placement, site, HEALTH));
    const leases = await leaseHosts(database.url, MACHINES);
    const client = parts.use(openBenchClient(LISTEN, join(placement.folder, "state", "trust"), leases));
    const owned = parts.move();
    const server: RunningServer = {
      pids: () => [api.pid, database.pid],
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
    clients.set(server, client);
    return server;
  },
};

const VARIANTS = { decisions: measureDecisions, events: measureReports } as const;

export const bench: Bench = {
  name: "api",
  operation: "one boot decision; one event on record, in batches of 100",
  rounds: 3,
  variants: Object.keys(VARIANTS),
  packages: [],
  contenders: [ours],
  load: (server, _contender, _placement, variant) => VARIANTS[variant as keyof typeof VARIANTS](clients.get(server)!),
};
