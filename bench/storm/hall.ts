import { join } from "node:path";
import { fleet } from "@firstlight/rack";
import { Client } from "pg";
import type { Place, Serving } from "../harness/contract.ts";
import { migrate, startDaemon, startDatabase, writeSite } from "../harness/firstlight.ts";
import { memoryBytes } from "../harness/proc.ts";
import { Counters } from "./counters.ts";
import { writeImages } from "./images.ts";

const at = (port: number): string => `127.0.0.1:${port}`;
const DOMAIN = "storm.internal";

/** Where the machines find their servers, as the rack wants to know it. */
export const SERVERS = { dhcp: at(7867), tftpPort: 7869, dns: at(7853) };
export const SEGMENTS = {
  bmc: { gateway: "127.80.0.1" },
  dpu: { gateway: "127.81.0.1" },
  host: { gateway: "127.82.0.1" },
};

/** Every daemon by its section, its health address, and what the storm sets beside the defaults: where to listen. */
const DAEMONS = [
  ["api", "api", at(7970), { listen: at(7870) }],
  [
    "dhcpd",
    "dhcpd",
    at(7967),
    { listen: [{ address: SERVERS.dhcp }], nextServer: "127.0.0.1", bootUrl: `http://${at(7880)}` },
  ],
  // a third of the hosts fetches by TFTP, all in the same moments
  ["tftpd", "tftpd", at(7969), { listen: at(7869), maxTransfers: 4096 }],
  ["pxe-http", "pxeHttp", at(7980), { listen: at(7880), baseUrl: `http://${at(7880)}`, maxConnections: 16_384 }],
  ["dnsd", "dnsd", at(7953), { listen: [SERVERS.dns] }],
] as const;

/** The servers of a hall, each a process of its own, all on the contender's core. */
export interface Hall extends Serving {
  /** Each by its name: the daemons and the database. */
  readonly processes: Readonly<Record<string, number>>;
  /** Transactions that the database has committed or rolled back so far. */
  transactions(): Promise<number>;
  /** Every promise the database holds. */
  leases(): Promise<{ readonly mac: string; readonly address: string }[]>;
  /** What the daemons have counted. */
  counters(): Promise<Counters>;
  /** Bytes by process. */
  memory(): Record<string, number>;
}

export async function openHall(place: Place, machines: number): Promise<Hall> {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await startDatabase(place));
  const sections = Object.fromEntries(
    DAEMONS.map(([, section, health, settings]) => [section, { ...settings, health }]),
  );
  const site = await writeSite(place, { ...sections, ...siteOf(machines) }, database);
  await migrate(place, site);
  writeImages(join(place.folder, "state", "artefacts"));
  const pids: Record<string, number> = { postgres: database.pid };
  const flags = (process.env["FIRSTLIGHT_BENCH_NODE_FLAGS"] ?? "").split(" ").filter(Boolean);
  for (const [name, , health] of DAEMONS)
    pids[name] = parts.use(await startDaemon(name, place, site, health, flags)).pid;
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
      await new Promise((done) => setTimeout(done, 1500)); // sessions report what they did once a second
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
    apiEndpoint: at(7870),
    ipam: { domains: [{ name: DOMAIN, nameServers: ["ns1"] }], segments },
    expectedMachines: fleet(machines),
  };
}
