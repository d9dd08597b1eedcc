import type pg from "pg";
import { UNDECLARED } from "../../policy/counted-on.ts";
import { append } from "../append.ts";
import type { Json, StoredRow } from "../../database/rows.ts";

/**
 * A lease whose address is not declared any more is not `fixed` any more: it gets its segment's policy, so that its address can
 * return to the pool.
 */
export async function withdrawn(client: pg.ClientBase, addresses: readonly string[], actor: string): Promise<void> {
  if (addresses.length === 0) return;
  const { rows } = await client.query<{ row: Json }>(
    `UPDATE ipam.lease l SET policy = CASE s.policy WHEN 'fixed' THEN 'dynamic' ELSE s.policy END,
       version = nextval('ipam.version')
     FROM ipam.segment s
     WHERE s.id = l.segment AND l.policy IN ('fixed', 'preserved') AND l.address = ANY($1::inet[])
       AND l.policy <> s.policy
       AND ${UNDECLARED}
     RETURNING to_jsonb(l) AS "row"`,
    [addresses],
  );
  await append.changes(
    client,
    "lease",
    rows.map(({ row }) => row),
    { actor, dns: false },
  );
}

/** Applies a segment's new policy to its existing leases at once, not at their next renewal. */
export async function repolicy(
  client: pg.ClientBase,
  before: StoredRow<"segment">,
  after: StoredRow<"segment">,
  actor: string,
): Promise<void> {
  if (before.policy === after.policy || before.policy === "fixed") return;
  const { rows } = await client.query<{ row: Json }>(
    `UPDATE ipam.lease l SET policy = $3, version = nextval('ipam.version') WHERE segment = $1 AND policy = $2
     RETURNING to_jsonb(l) AS "row"`,
    [after.id, before.policy, after.policy === "fixed" ? "dynamic" : after.policy],
  );
  await append.changes(
    client,
    "lease",
    rows.map(({ row }) => row),
    { actor, dns: false },
  );
}
