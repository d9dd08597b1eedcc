import { expectedMachinesSchema, ipamSchema } from "@firstlight/ipam";
import { createStore } from "@firstlight/ipam/store";
import { Client } from "pg";
import type { Contender, Placement, RunningServer } from "../harness/contract.ts";
import { migrate, startDaemon, startDatabase, writeSite } from "../harness/firstlight.ts";
import { PORT, writeContent } from "./content.ts";

/** `firstlight pxe-http` as a site runs it, with a lease for the load's address and raised limits for one client. */
export const ours: Contender = { name: "firstlight", packages: [], start };

const HEALTH = "127.0.0.1:7881";

async function start(placement: Placement): Promise<RunningServer> {
  await using parts = new AsyncDisposableStack();
  const artefacts = writeContent(placement.folder);
  const database = parts.use(await startDatabase(placement));
  const limits = { maxConnectionsPerClient: 64, perClient: { perSecond: 1_000_000, burst: 1_000_000 } };
  const pxeHttp = { listen: `127.0.0.1:${PORT}`, health: HEALTH, artefacts, ...limits };
  const file = await writeSite(placement, { pxeHttp }, database);
  await migrate(placement, file);
  await insertLease(database.url);
  const daemon = parts.use(await startDaemon("pxe-http", placement, file, HEALTH));
  const owned = parts.move();
  return { pids: () => [daemon.pid, database.pid], [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Declares a segment as a site's file does, then inserts a lease of 127.0.0.1. */
async function insertLease(url: string): Promise<void> {
  const segment = { name: "bench", domain: "bench.test", prefixes: [{ prefix: "127.0.0.0/8" }] };
  await using store = createStore({ url, name: "bench" });
  await store.declare(
    {
      ipam: ipamSchema.parse({ domains: [{ name: "bench.test" }], segments: [segment] }),
      expectedMachines: expectedMachinesSchema.parse([]),
    },
    "bench",
  );
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(LEASE);
  } finally {
    await client.end();
  }
}

const LEASE = `WITH i AS (
    INSERT INTO ipam.interface (segment, mac, domain, role, identified_by)
    SELECT id, '02:00:00:00:00:01', domain, 'host', 'lease' FROM ipam.segment RETURNING id, mac, segment)
  INSERT INTO ipam.lease (vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at)
  SELECT s.vrf, '127.0.0.1', s.id, i.id, i.mac, 'dynamic', 'bound', now(), now() + '1 day', now() + '2 days'
  FROM i JOIN ipam.segment s ON s.id = i.segment`;
