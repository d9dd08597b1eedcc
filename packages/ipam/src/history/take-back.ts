import type pg from "pg";
import { append } from "../store/append.ts";
import { integer, rowOf, text } from "../database/columns.ts";
import type { Json } from "../database/rows.ts";
import { AS_LEASES } from "../store/locks.ts";

/**
 * Addresses that only a policy keeps: the lease and its quarantine have ended, and no machine, expected device or reservation counts
 * on them. Interfaces are locked first, as by all writers; locked ones are skipped.
 */
const IDLE = `
  SELECT i.id, l.vrf, host(l.address) AS address FROM ipam.lease l JOIN ipam.interface i ON i.id = l.interface
  WHERE l.segment = (SELECT segment FROM ipam.prefix WHERE id = $1)
    AND l.address <<= (SELECT prefix::inet FROM ipam.prefix WHERE id = $1)
    AND ($3::inet IS NULL OR l.address BETWEEN $3 AND $4::inet)
    AND l.policy = 'retained' AND l.reusable_at <= now() AND i.machine IS NULL AND i.identified_by = 'lease'
    AND NOT EXISTS (SELECT FROM ipam.expected_device e WHERE e.mac = l.mac OR e.address = l.address)
    AND NOT EXISTS (SELECT FROM ipam.reservation r WHERE r.vrf = l.vrf AND r.address = l.address)
  ORDER BY l.expires_at LIMIT $2
  FOR NO KEY UPDATE OF i SKIP LOCKED`;

const IDLE_ROW = rowOf("idle addresses", { id: integer, vrf: text, address: text });

/** Releases such addresses. The interface gets its address again if it is still free when it returns. */
const RELEASE = `
  UPDATE ipam.lease l SET state = 'released', policy = 'dynamic', version = nextval('ipam.version')
  FROM unnest($1::int[], $2::text[], $3::inet[]) g (interface, vrf, address)
  WHERE l.vrf = g.vrf AND l.address = g.address AND l.interface = g.interface AND l.policy = 'retained' AND l.reusable_at <= now()
  RETURNING to_jsonb(l) AS "row"`;

/** Reclaims up to `count` addresses of a prefix, or of one of its pools, the longest idle first. Returns their number. */
export async function takeBack(
  client: pg.ClientBase,
  prefix: number,
  count: number,
  pool?: { readonly from: string; readonly to: string },
): Promise<number> {
  await client.query(AS_LEASES);
  const { rows: found } = await client.query(IDLE, [prefix, count, pool?.from ?? null, pool?.to ?? null]);
  const idle = found.map(IDLE_ROW);
  if (idle.length === 0) return 0;
  const values = [idle.map(({ id }) => id), idle.map(({ vrf }) => vrf), idle.map(({ address }) => address)];
  const { rows } = await client.query<{ row: Json }>(RELEASE, values);
  const released = rows.map(({ row }) => row);
  await append.changes(client, "lease", released, { actor: "daemon/api reclaim", dns: true });
  return released.length;
}
