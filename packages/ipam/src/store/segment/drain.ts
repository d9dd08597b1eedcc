import { formatPrefix } from "@firstlight/wire";
import type pg from "pg";
import type { DrainState, PrefixRow, Segment } from "../../model/model.ts";
import { append } from "../append.ts";
import type { Json, StoredRow } from "../../database/rows.ts";

/** What an edit that speaks of the state changes: a drain's end is reckoned from its beginning, by the database's clock. */
export async function drainColumns(
  client: pg.ClientBase,
  before: Json | undefined,
  state: DrainState | undefined,
  { leaseSeconds, drainSeconds = leaseSeconds }: Pick<Segment, "leaseSeconds" | "drainSeconds">,
): Promise<Json> {
  if (state === undefined || state === (before?.["state"] ?? "active")) return {};
  if (state === "active") return { state, drain_by: null };
  const { rows } = await client.query<{ by: string }>(
    `SELECT to_jsonb(now() + make_interval(secs => $1)) #>> '{}' AS by`,
    [drainSeconds],
  );
  return { state, drain_by: rows[0]!.by };
}

/**
 * Before a prefix that drained goes: promises that have ended are given back, so that their holders begin anew when they
 * come again. The addresses rest as long as they have to.
 */
export async function abandon(client: pg.ClientBase, { segment, prefix }: PrefixRow, actor: string): Promise<void> {
  const { rows } = await client.query<{ row: StoredRow<"lease"> }>(
    `UPDATE ipam.lease l SET state = 'released', version = nextval('ipam.version')
     WHERE segment = $1 AND address <<= $2::inet AND state = 'bound' AND expires_at <= now() RETURNING to_jsonb(l) AS "row"`,
    [segment, formatPrefix(prefix)],
  );
  await append.changes(
    client,
    "lease",
    rows.map(({ row }) => row),
    { actor, dns: true },
  );
}
