import type pg from "pg";
import { append } from "../append.ts";
import { withdrawn } from "../lease/policy.ts";
import { type Json, type StoredRow, toMac } from "../../database/rows.ts";
import { Refused } from "../store.ts";
import type { Mac } from "@firstlight/wire";

/** The segment on which a device is expected: the declared one, else the only one that holds its declared address. */
const PLACE = `
  SELECT e.mac, e.role, e.machine, coalesce(e.segment,
    (SELECT CASE WHEN count(*) = 1 THEN min(p.segment) END FROM ipam.prefix p WHERE p.prefix >>= e.address)) AS segment
  FROM ipam.expected_device e WHERE e.mac = ANY ($1::macaddr[])`;

/** Deletes predictions on another segment than the one where their device is expected now. An interface with a lease was seen. */
const STALE = `
  DELETE FROM ipam.interface i USING unnest($1::macaddr[]) k (mac) LEFT JOIN (${PLACE}) e ON e.mac = k.mac
  WHERE i.mac = k.mac AND i.state = 'predicted' AND e.segment IS DISTINCT FROM i.segment
    AND NOT EXISTS (SELECT FROM ipam.lease l WHERE l.interface = i.id)
  RETURNING to_jsonb(i) AS "row"`;

const PREDICT = `
  INSERT INTO ipam.interface (segment, mac, domain, role, machine, identified_by, state)
  SELECT s.id, e.mac, s.domain, e.role, e.machine, 'expected', 'predicted'
  FROM (${PLACE}) e JOIN ipam.segment s ON s.id = e.segment
  WHERE NOT EXISTS (SELECT FROM ipam.interface o WHERE o.mac = e.mac) ORDER BY e.mac
  RETURNING mac::text AS mac`;

/**
 * Creates interfaces for expected devices that were not seen, with role and machine; the caller sets the label. Such an interface has no
 * address, and therefore no name in DNS, before its first lease. Outdated predictions are deleted. Returns the new ones.
 */
export async function predict(client: pg.ClientBase, macs: readonly string[], actor: string): Promise<string[]> {
  const { rows: stale } = await client.query<{ row: Json }>(STALE, [macs]);
  await append.tombstones(
    client,
    "interface",
    stale.map(({ row }) => row),
    actor,
  );
  const { rows } = await client.query<{ mac: string }>(PREDICT, [macs]);
  return rows.map(({ mac }) => mac);
}

const UNEXPECT = `DELETE FROM ipam.expected_device e WHERE mac = ANY ($1::macaddr[]) RETURNING to_jsonb(e) AS "row"`;

/** A device that is not expected any more keeps its lease; its interface no longer belongs to a machine. */
const DETACH = `
  UPDATE ipam.interface i SET machine = NULL, label = NULL, identified_by = 'lease', version = nextval('ipam.version')
  WHERE mac = ANY ($1::macaddr[]) AND identified_by = 'expected' RETURNING to_jsonb(i) AS "row"`;

/** Removes expected devices: their predictions are deleted, and their seen interfaces belong to no machine any more. */
export async function unexpect(client: pg.ClientBase, macs: readonly Mac[], actor: string): Promise<void> {
  const texts = macs.map(toMac);
  const { rows } = await client.query<{ row: StoredRow<"expected"> }>(UNEXPECT, [texts]);
  const gone = rows.map(({ row }) => row);
  const known = new Set(gone.map(({ mac }) => mac));
  const missing = texts.find((mac) => !known.has(mac));
  if (missing !== undefined) throw new Refused("device-not-found", { mac: missing });
  await append.tombstones(client, "expected", gone, actor);
  await predict(client, texts, actor);
  const { rows: strangers } = await client.query<{ row: Json }>(DETACH, [texts]);
  await append.changes(
    client,
    "interface",
    strangers.map(({ row }) => row),
    { actor, dns: true },
  );
  const addresses = gone.flatMap(({ address }) => address ?? []);
  await withdrawn(client, addresses, actor);
}
