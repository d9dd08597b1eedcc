import type pg from "pg";
import { type ClientIdentity, identityText } from "../../model/identity.ts";
import { Refused } from "../store.ts";
import { append } from "../append.ts";
import { identityColumnOf, type Json, type StoredRow, toIdentity } from "../../database/rows.ts";
import { segmentNamed } from "../segment/segments.ts";

/**
 * Deletes an interface, because its machine is ingested again or gone for good. Its addresses stay in quarantine for their time; a
 * `preserved` address is reserved for its client.
 */
export async function deleteInterface(
  client: pg.ClientBase,
  segment: string,
  identity: ClientIdentity,
  actor: string,
): Promise<{ readonly preserved: readonly string[] }> {
  const home = await segmentNamed(client, segment);
  if (!home) throw new Refused("segment-not-found", { segment });
  const { rows: gone } = await client.query<{ row: StoredRow<"interface"> }>(
    `DELETE FROM ipam.interface i WHERE segment = $1 AND ${identityColumnOf(identity)} = $2 RETURNING to_jsonb(i) AS "row"`,
    [home.id, toIdentity(identity)],
  );
  if (gone.length === 0) throw new Refused("interface-not-found", { segment, identity: toIdentity(identity) });
  const id = gone[0]!.row.id;
  const preserved = await preserve(client, id, identity, actor);
  const { rows: leases } = await client.query<{ row: Json }>(LAY_TO_REST, [id]);
  await append.changes(client, "lease", rowsOf(leases), { actor, dns: true });
  await append.tombstones(client, "interface", rowsOf(gone), actor);
  return { preserved };
}

/** Ends leases at their normal time: the client does not know of the deletion, so the quarantine begins at the end of the lease. */
const LAY_TO_REST = `
  UPDATE ipam.lease l SET state = CASE l.state WHEN 'bound' THEN 'released' ELSE l.state END, policy = 'dynamic',
    reusable_at = CASE WHEN l.state = 'bound' OR l.policy <> 'dynamic'
      THEN greatest(l.reusable_at, now() + make_interval(secs => s.grace_seconds)) ELSE l.reusable_at END,
    version = nextval('ipam.version')
  FROM ipam.segment s WHERE l.interface = $1 AND s.id = l.segment
  RETURNING to_jsonb(l) AS "row"`;

/** The preserved address it has, or had last, of each family. */
async function preserve(
  client: pg.ClientBase,
  id: unknown,
  identity: ClientIdentity,
  actor: string,
): Promise<string[]> {
  const { rows } = await client.query<{ row: StoredRow<"reservation"> }>(
    `INSERT INTO ipam.reservation AS r (segment, vrf, address, identity, origin)
     SELECT DISTINCT ON (family(address)) segment, vrf, address, $2, 'preserved' FROM ipam.lease
     WHERE interface = $1 AND policy = 'preserved' AND state <> 'declined' AND ipam.address_class(address) <> 0
     ORDER BY family(address), state = 'bound' DESC, starts_at DESC
     ON CONFLICT DO NOTHING RETURNING to_jsonb(r) AS "row"`,
    [id, identityText(identity)],
  );
  await append.changes(client, "reservation", rowsOf(rows), { actor, dns: false });
  return rows.map(({ row }) => row.address);
}

const rowsOf = (rows: readonly { readonly row: Json }[]): Json[] => rows.map(({ row }) => row);
