/** Who holds which address for how long, as the tables have it, and time that passes: what the laws look at. */
import assert from "node:assert/strict";
import type { Ground } from "../ground.ts";

export interface Held {
  readonly address: string;
  readonly mac: string;
  readonly segment: number;
  readonly state: string;
  /** Hours from now on until another may have it, and until its promise and its segment's grace are over. */
  readonly restsHours: number;
  readonly graceHours: number;
}

type Tables = Pick<Ground, "sql">;

export function inTable(site: Tables): Promise<Held[]> {
  return site.sql<Held>(
    `SELECT host(l.address) AS address, l.mac::text, l.segment, l.state,
       extract(epoch FROM l.reusable_at - now())::float8 / 3600 AS "restsHours",
       extract(epoch FROM l.expires_at - now())::float8 / 3600 + s.grace_seconds / 3600.0::float8 AS "graceHours"
     FROM ipam.lease l JOIN ipam.segment s ON s.id = l.segment ORDER BY 1`,
  );
}

/** Addresses that are another's than before. */
export function newHolders(before: readonly Held[], after: readonly Held[]): (Held & { readonly was: Held })[] {
  const held = new Map(before.map((row) => [row.address, row]));
  return after.flatMap((row) => {
    const was = held.get(row.address);
    return was && (was.mac !== row.mac || was.segment !== row.segment) ? [{ ...row, was }] : [];
  });
}

const INSTANT_HOURS = 0.01; // between the look before and the commit

/** No address goes to another before its promise and its grace are over. */
export function mustRest(before: readonly Held[], after: readonly Held[]): void {
  for (const { address, was } of newHolders(before, after)) {
    assert.ok(was.restsHours < INSTANT_HOURS, `${address} had to rest ${was.restsHours} h more`);
    assert.ok(was.graceHours < INSTANT_HOURS, `${address}: its promise and grace had ${was.graceHours} h more`);
  }
}

/** Time passes: every clock reading in the table moves back, and the feed tells of it as of any other change. */
export async function pass(site: Tables, hours: number): Promise<void> {
  await site.sql(
    `WITH put AS (
       UPDATE ipam.lease l SET starts_at = starts_at - $1::interval, expires_at = expires_at - $1::interval,
         reusable_at = reusable_at - $1::interval, version = nextval('ipam.version')
       RETURNING l.version, l.vrf || '/' || host(l.address) AS key, to_jsonb(l) AS "row")
     INSERT INTO ipam.change_pending (version, kind, key, dns, "row", actor)
     SELECT version, 'lease', key, false, "row", 'time' FROM put`,
    [`${hours} hours`],
  );
}
