import { createStore, migrateIpam } from "@firstlight/ipam/store";
import { Client } from "pg";
import { SITE } from "./commit-leases.ts";

/** Migrates and fills the database: `interfaces` interfaces, each with a name and a lease with relay and a unique client-id. */
export async function fillDatabase(url: string, interfaces: number): Promise<void> {
  await migrateIpam(url);
  const store = createStore({ url, name: "bench" });
  await store.declare(SITE, "bench");
  await store[Symbol.asyncDispose]();
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("TRUNCATE ipam.interface, ipam.lease, ipam.change_pending, ipam.change CASCADE");
  await client.query(
    `INSERT INTO ipam.interface (segment, mac, domain, role, machine, label, identified_by)
     SELECT s.id, ('02dd' || lpad(to_hex(n), 8, '0'))::macaddr, s.domain,
       (ARRAY['host', 'host_bmc', 'dpu_oob'])[1 + n % 3], 'm' || n / 3, 'm' || n / 3 || '-' || n % 3, 'expected'
     FROM generate_series(1, $1::int) n, ipam.segment s WHERE s.name = 'bench'`,
    [interfaces],
  );
  await client.query(
    `INSERT INTO ipam.lease (vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at,
       client_id, giaddr, circuit_id, remote_id)
     SELECT 'default', '10.1.0.0'::inet + row_number() OVER (ORDER BY i.id), i.segment, i.id, i.mac, 'retained', 'bound',
       now(), now() + interval '1 hour', now() + interval '25 hours',
       '\\x01'::bytea || decode(replace(i.mac::text, ':', ''), 'hex'), '10.0.0.1', convert_to('swp' || i.id % 48, 'UTF8'),
       convert_to('tor-' || i.id / 48, 'UTF8')
     FROM ipam.interface i`,
  );
  await client.query("VACUUM ANALYZE ipam.interface");
  await client.query("VACUUM ANALYZE ipam.lease");
  await client.end();
}
