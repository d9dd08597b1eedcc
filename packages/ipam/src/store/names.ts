import type pg from "pg";
import type { IpamConfig } from "../config.ts";
import type { Name } from "../model.ts";
import { Refused } from "../store.ts";
import { note, noteGone } from "./note.ts";
import { type Json, rowFrom } from "./rows.ts";

/** Adds a declared record, or changes its TTL. */
export async function putName(
  client: pg.ClientBase,
  name: Omit<Name, "kind" | "id" | "version">,
  actor: string,
): Promise<Name> {
  const { rows: domains } = await client.query<{ name: string }>("SELECT name FROM ipam.domain WHERE id = $1", [
    name.domain,
  ]);
  const zone = domains[0]?.name;
  if (zone === undefined) throw new Refused(`name ${name.owner}: there is no domain ${name.domain}`);
  const isReverse = name.type === "PTR" && /\.(in-addr|ip6)\.arpa$/.test(name.owner);
  if (name.owner !== zone && !name.owner.endsWith(`.${zone}`) && !isReverse)
    throw new Refused(`name ${name.owner} is not in ${zone}`);
  const { rows: others } = await client.query<{ type: string }>(
    `SELECT type FROM ipam.name WHERE owner = $1 AND ($2 = 'CNAME') <> (type = 'CNAME') LIMIT 1`, // RFC 1034 §3.6.2
    [name.owner, name.type],
  );
  if (others[0]) throw new Refused(`name ${name.owner} has ${others[0].type} records: a CNAME stands alone`);
  const { rows } = await client.query<{ row: Json }>(
    `INSERT INTO ipam.name AS n (domain, owner, type, data, ttl_seconds) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (owner, type, data) DO UPDATE SET domain = excluded.domain, ttl_seconds = excluded.ttl_seconds,
       version = nextval('ipam.version')
     RETURNING to_jsonb(n) AS "row"`,
    [name.domain, name.owner, name.type, name.data, name.ttlSeconds],
  );
  const row = rows[0]!.row;
  await note(client, "name", [row], { actor, dns: true });
  return rowFrom("name", row);
}

/** The records of the site's file: what is there already stays as it is. */
export async function declareNames(
  client: pg.ClientBase,
  names: IpamConfig["names"],
  actor: string,
): Promise<string[]> {
  const changed: string[] = [];
  for (const { owner: written, type, data, ttlSeconds } of names) {
    const owner = written.toLowerCase().replace(/\.$/, "");
    const { rows: same } = await client.query(
      "SELECT FROM ipam.name WHERE owner = $1 AND type = $2 AND data = $3 AND ttl_seconds = $4",
      [owner, type, data, ttlSeconds],
    );
    if (same.length > 0) continue;
    const { rows } = await client.query<{ id: number }>(
      "SELECT id FROM ipam.domain WHERE $1 = name OR right($1, length(name) + 1) = '.' || name ORDER BY length(name) DESC LIMIT 1",
      [owner],
    );
    if (!rows[0]) throw new Refused(`name ${owner}: there is no domain above it`);
    await putName(client, { domain: rows[0].id, owner, type, data, ttlSeconds }, actor);
    changed.push(`name ${owner}: ${type} ${data}`);
  }
  return changed;
}

/** Removes every record of this owner and type. */
export async function deleteName(
  client: pg.ClientBase,
  owner: string,
  type: Name["type"],
  actor: string,
): Promise<void> {
  const { rows } = await client.query<{ row: Json }>(
    `DELETE FROM ipam.name n WHERE owner = $1 AND type = $2 RETURNING to_jsonb(n) AS "row"`,
    [owner, type],
  );
  if (rows.length === 0) throw new Refused(`there is no ${type} record ${owner}`);
  await noteGone(
    client,
    "name",
    rows.map(({ row }) => row),
    actor,
  );
}
