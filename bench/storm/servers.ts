import { join } from "node:path";
import { fleet } from "@firstlight/rack";
import { Client } from "pg";
import type { Placement, RunningServer } from "../harness/contract.ts";
import { migrate, startDaemon, startDatabase, writeSite } from "../harness/firstlight.ts";
import { memoryBytes } from "../harness/proc.ts";
import { Counters } from "./counters.ts";
import { writeImages } from "./images.ts";

const endpoint = (port: number): string => `127.0.0.1:${port}`;
const DOMAIN = "storm.internal";

/** The servers' endpoints, as settings of the rack. */
export const SERVERS = { dhcp: endpoint(7867), tftpPort: 7869, dns: endpoint(7853) };
export const SEGMENTS = {
  bmc: { gateway: "127.80.0.1" },
  dpu: { gateway: "127.81.0.1" },
  host: { gateway: "127.82.0.1" },
};

/** Each daemon: name, section, health address, and the settings that differ from the defaults. */
const DAEMONS = [
  ["api", "api", endpoint(7970), { listen: endpoint(7870) }],
  [
    "dhcpd",
    "dhcpd",
    endpoint(7967),
    { listen: [{ address: SERVERS.dhcp }], nextServer: "127.0.0.1", bootUrl: `http://${endpoint(7880)}` },
  ],
  // a third of the hosts fetch by TFTP at the same time
  ["tftpd", "tftpd", endpoint(7969), { listen: endpoint(7869), maxTransfers: 4096 }],
  [
    "pxe-http",
    "pxeHttp",
    endpoint(7980),
    { listen: endpoint(7880), baseUrl: `http://${endpoint(7880)}`, maxConnections: 16_384 },
  ],
  ["dnsd", "dnsd", endpoint(7953), { listen: [SERVERS.dns] }],
] as const;

/** The daemons and their database, each a process, all on the contender's core. */
export interface StormServers extends RunningServer {
  /** Process id by name: the daemons and `postgres`. */
  readonly processes: Readonly<Record<string, number>>;
  /** Number of transactions that the database has committed or rolled back so far. */
  transactions(): Promise<number>;
  /** Every bound lease of the database. */
  leases(): Promise<{ readonly mac: string; readonly address: string }[]>;
  /** The counters of all daemons. */
  counters(): Promise<Counters>;
  /** Memory in bytes, by process. */
  memory(): Record<string, number>;
}

/** Starts the database and all daemons for that many expected machines. */
export async function openStormServers(placement: Placement, machines: number): Promise<StormServers> {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await startDatabase(placement));
  const sections = Object.fromEntries(
    DAEMONS.map(([, section, health, settings]) => [section, { ...settings, health }]),
  );
  const site = await writeSite(placement, { ...sections, ...siteOf(machines) }, database);
  await migrate(placement, site);
  writeImages(join(placement.folder, "state", "artefacts"));
  const pids: Record<string, number> = { postgres: database.pid };
  const flags = (process.env["FIRSTLIGHT_BENCH_NODE_FLAGS"] ?? "").split(" ").filter(Boolean);
  for (const [name, , health] of DAEMONS)
    pids[name] = parts.use(await startDaemon(name, placement, site, health, flags)).pid;
  const client = new Client({ connectionString: database.url });
  await client.connect();
  parts.defer(() => client.end());
  const owned = parts.move();
  return {
    processes: pids,
    pids: () => Object.values(pids),
    memory: () => Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, memoryBytes([pid])])),
    counters: () => Counters.of(DAEMONS.map(([, , health]) => health)),
    async transactions() {
      await new Promise((done) => setTimeout(done, 1500)); // sessions report their statistics once a second
      const { rows } = await client.query<{ n: string }>(
        "SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()",
      );
      return Number(rows[0]!.n);
    },
    async leases() {
      const { rows } = await client.query<{ mac: string; address: string }>(
        "SELECT mac::text, host(address) AS address FROM ipam.lease WHERE state = 'bound'",
      );
      return rows;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function siteOf(machines: number): Record<string, unknown> {
  const segments = Object.entries(SEGMENTS).map(([name, { gateway }]) => ({
    name,
    kind: name === "host" ? "host_inband" : "underlay",
    domain: DOMAIN,
    boots: name !== "bmc",
    policy: "retained",
    prefixes: [{ prefix: gateway.replace(/1$/, "0/16"), gateway, reserved: 16 }],
    options: { domainNameServers: ["127.0.0.1"] },
  }));
  return {
    apiEndpoint: endpoint(7870),
    ipam: { domains: [{ name: DOMAIN, nameServers: ["ns1"] }], segments },
    expectedMachines: fleet(machines),
  };
}
