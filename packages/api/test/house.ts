import { after } from "node:test";
import { type Api, connectOperator, createApi, openChannel, type Operator } from "@firstlight/api-client";
import type { ExpectedMachines } from "@firstlight/ipam";
import type { Store } from "@firstlight/ipam/store";
import {
  expected,
  iface,
  lease,
  MemoryLeases,
  type MemorySite,
  domain,
  prefix,
  segment,
  siteOf,
  testTrust,
  type TestTrust,
} from "@firstlight/kit";
import { testDatabase } from "@firstlight/kit/postgres";
import { processShared, type Running, siteSchema, systemClock, type Traces } from "@firstlight/service";
import { pino } from "pino";
import { Registry } from "prom-client";
import { startApi } from "../src/api.ts";
import { type ApiConfig, apiSchema } from "../src/config.ts";
import { openPool } from "../src/database.ts";
import { migrateApi } from "../src/migrate.ts";

/** Keeps the database server of this file up between its tests: it stops with the last database on it. */
const held = await testDatabase();
after(() => held[Symbol.asyncDispose]());

export const HOST = "02:f1:00:00:00:01";
export const BMC = "02:f1:00:00:00:02";
export const DPU = "02:f1:00:00:00:03";
/** Nobody expects this one. */
export const STRANGER = "02:aa:00:00:00:01";
export const TRACE = "0af7651916cd43dd8448eb211c80319c";

const ADDRESSES = { [HOST]: "127.64.0.11", [BMC]: "127.64.0.12", [DPU]: "127.64.0.13", [STRANGER]: "127.64.0.99" };
export const addressOf = (mac: string): string => ADDRESSES[mac as keyof typeof ADDRESSES] ?? "127.64.0.200";

const MACHINES: ExpectedMachines = [
  {
    name: "r1-m01",
    serial: "SN1",
    interfaces: [
      { mac: HOST, role: "host" },
      { mac: BMC, role: "host_bmc" },
      { mac: DPU, role: "dpu_oob" },
    ],
  },
];

/** A real API on a real database with real certificates; addresses and expected devices are rows in memory. */
export interface House extends AsyncDisposable {
  readonly site: MemorySite;
  readonly trust: TestTrust;
  /** Takes the database away for good. */
  lose(): Promise<void>;
  readonly metrics: Registry;
  address(): string;
  /** The API as this daemon sees it. */
  api(daemon: string): Promise<Api>;
  operator(name?: string): Promise<Operator>;
  /** Stops the server without ceremony and starts another on the same database and port. */
  restart(): Promise<void>;
}

export async function openHouse(config: Partial<ApiConfig> = {}, traces?: Pick<Traces, "span">): Promise<House> {
  await using parts = new AsyncDisposableStack();
  const database = await testDatabase();
  let isLost = false;
  const lose = async (): Promise<void> => {
    if (!isLost) await database[Symbol.asyncDispose]();
    isLost = true;
  };
  parts.defer(lose);
  await migrateApi(database.url);
  const trust = parts.use(await testTrust());
  const site = parts.use(await siteOf(rows(), { ordered: true }));
  const credentials = await trust.issue("daemon/api");
  let metrics = new Registry();

  const start = async (listen: string): Promise<Running> => {
    metrics = new Registry();
    const shared = processShared(systemClock);
    const log = pino({ level: "error" });
    const base = siteSchema.parse({ database: { url: database.url } });
    const pool = openPool(base, () => {});
    const context = {
      log,
      metrics,
      traces,
      shared,
      credentials,
      clock: systemClock,
      config: { ...apiSchema.parse({}), ...config, listen },
      site: { ...base, trust: { dir: trust.dir } },
    };
    const store = Object.assign(new MemoryLeases(site, rows()), {
      declare: () => Promise.resolve({ domains: [], segments: [], changed: [], faults: [] }),
    }) as unknown as Store;
    const ipam = { store, replica: site.replica, ready: () => ({ ready: true }) };
    const running = await startApi(context, ipam, pool, {
      ipam: { domains: [], segments: [], names: [], pools: [], reservations: [] },
      expectedMachines: MACHINES,
    });
    const stop = async (): Promise<void> => {
      await running.stop();
      await pool.end();
    };
    return { ...running, stop };
  };

  let running = await start("127.0.0.1:0");
  const address = running.endpoints["grpc"]!;
  parts.defer(() => running.stop());
  const own = parts.move();
  const clients = new DisposableStack();
  return {
    site,
    trust,
    lose,
    get metrics() {
      return metrics;
    },
    address: () => address,
    async api(daemon) {
      const channel = openChannel({ address, site: "lab", credentials: await trust.issue(`daemon/${daemon}`) });
      clients.defer(() => channel.close());
      return createApi(channel);
    },
    async operator(name = "root") {
      return clients.use(connectOperator({ address, site: "lab", ...(await trust.issue(`operator/${name}`)) }));
    },
    async restart() {
      await running.stop();
      running = await start(address);
    },
    async [Symbol.asyncDispose]() {
      clients.dispose();
      await own.disposeAsync();
    },
  };
}

function rows() {
  const devices = Object.entries(ADDRESSES).flatMap(([mac, address], i) => [
    iface({ id: i + 1, identity: mac, role: mac === STRANGER ? "other" : "host" }),
    lease({ interface: i + 1, identity: mac, address }),
  ]);
  const list = MACHINES.flatMap(({ name, interfaces }) =>
    interfaces.map(({ mac, role }, i) => expected({ mac, role, machine: name, label: `${name}-${i}` })),
  );
  return [domain(), segment(), prefix(), ...devices, ...list];
}
