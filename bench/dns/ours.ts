import { expectedMachinesSchema, ipamSchema } from "@firstlight/ipam";
import { createStore } from "@firstlight/ipam/store";
import { Client } from "pg";
import type { Contender, Placement, RunningServer } from "../harness/contract.ts";
import { migrate, startDaemon, startDatabase, writeSite } from "../harness/firstlight.ts";
import { verifyAnswers, PORT } from "./verify.ts";
import { addressOf, FORWARD, HOSTS, MINIMUM_SECONDS, PREFIX, questions, TTL_SECONDS } from "./content.ts";

/** `firstlight dnsd` as a site runs it, on a replica of a PostgreSQL that runs on the same core. */
export const ours: Contender = { name: "firstlight", packages: [], start };

const HEALTH = "127.0.0.1:5398";

async function start(placement: Placement): Promise<RunningServer> {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await startDatabase(placement));
  const dnsd = { listen: [`127.0.0.1:${PORT}`], health: HEALTH, engine: "batch" };
  const site = await writeSite(placement, { dnsd }, database);
  await migrate(placement, site);
  await insertHosts(database.url);
  const daemon = parts.use(await startDaemon("dnsd", placement, site, HEALTH));
  await verifyAnswers(questions(50), daemon);
  const owned = parts.move();
  return { pids: () => [daemon.pid, database.pid], [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Declares one segment as a site's file does, then inserts each host's interface and lease as rows. */
async function insertHosts(url: string): Promise<void> {
  const segment = { name: "bench", domain: FORWARD, prefixes: [{ prefix: PREFIX }] };
  const domain = { name: FORWARD, ttlSeconds: TTL_SECONDS, negativeTtlSeconds: MINIMUM_SECONDS };
  await using store = createStore({ url, name: "bench" });
  await store.declare(
    {
      ipam: ipamSchema.parse({ domains: [domain], segments: [segment] }),
      expectedMachines: expectedMachinesSchema.parse([]),
    },
    "bench",
  );
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const addresses = Array.from({ length: HOSTS }, (_, n) => addressOf(n));
    await client.query(INTERFACES, [HOSTS]);
    await client.query(LEASES, [addresses]);
  } finally {
    await client.end();
  }
}

const MAC = "lpad(to_hex(2199023255552 + n), 12, '0')::macaddr"; // 02:00:00:00:00:00 and on
const INTERFACES = `INSERT INTO ipam.interface (segment, mac, domain, role, identified_by)
  SELECT s.id, ${MAC}, s.domain, 'host', 'lease' FROM ipam.segment s, generate_series(1, $1::int) n`;
const LEASES = `INSERT INTO ipam.lease
    (vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at)
  SELECT s.vrf, a.address::inet, s.id, i.id, i.mac, 'dynamic', 'bound', now(), now() + '1 day', now() + '2 days'
  FROM unnest($1::text[]) WITH ORDINALITY a (address, n)
  JOIN ipam.interface i ON i.mac = ${MAC} JOIN ipam.segment s ON s.id = i.segment`;
