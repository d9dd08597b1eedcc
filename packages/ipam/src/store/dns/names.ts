import type pg from "pg";
import type { IpamConfig } from "../../config.ts";
import type { Name } from "../../model/model.ts";
import { Refused } from "../store.ts";
import { append } from "../append.ts";
import { rowFrom, type StoredRow } from "../../database/rows.ts";

/** A record as an operator writes it. */
export interface NameEdit extends Pick<Name, "owner" | "type" | "data" | "ttlSeconds"> {
  /** Its zone; "" for the closest one above it. */
  readonly zone: string;
}

/** The refusal of one row of a set, by its number. */
export interface RowRefusal {
  readonly n: number;
  readonly refused: Refused;
}

/** Adds declared records, or changes their TTL: all of them or, with a reason each, none. A statement per step, whatever their number. */
export async function putNames(
  client: pg.ClientBase,
  names: readonly NameEdit[],
  actor: string,
): Promise<{ readonly refused: readonly RowRefusal[]; readonly rows: readonly StoredRow<"name">[] }> {
  const { rows: facts } = await client.query<Fact>(FACTS, [
    names.map(({ owner }) => owner),
    names.map(({ type }) => type),
    names.map(({ data }) => data),
    names.map(({ zone }) => zone),
  ]);
  const alone = new Map<string, NameEdit>();
  const refused = names.flatMap((name, n): RowRefusal[] => {
    const beside = alone.get(name.owner);
    alone.set(name.owner, beside?.type === "CNAME" ? beside : name);
    const clash = facts[n]!.other ?? (beside && clashes(beside, name) ? beside.type : null);
    const refused = refusalOf(name, { ...facts[n]!, other: clash });
    return refused === undefined ? [] : [{ n, refused }];
  });
  if (refused.length > 0) return { refused, rows: [] };
  const { rows } = await client.query<{ row: StoredRow<"name"> }>(
    `INSERT INTO ipam.name AS n (domain, owner, type, data, ttl_seconds)
     SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[]) g (domain, owner, type, data, ttl)
     ORDER BY g.owner, g.type, g.data
     ON CONFLICT (owner, type, data) DO UPDATE SET domain = excluded.domain, ttl_seconds = excluded.ttl_seconds,
       version = nextval('ipam.version')
     RETURNING to_jsonb(n) AS "row"`,
    [
      facts.map(({ domain }) => domain),
      names.map(({ owner }) => owner),
      names.map(({ type }) => type),
      names.map(({ data }) => data),
      names.map(({ ttlSeconds }) => ttlSeconds),
    ],
  );
  const written = rows.map(({ row }) => row);
  await append.changes(client, "name", written, { actor, dns: true });
  return { refused: [], rows: written };
}

/** What the database knows of one: its zone, and a record beside which it may not stand (RFC 1034 §3.6.2). */
interface Fact {
  readonly domain: number | null;
  readonly zone: string | null;
  readonly other: string | null;
}

const FACTS = `
  SELECT d.id AS domain, d.name AS zone,
    (SELECT o.type FROM ipam.name o WHERE o.owner = k.owner AND 'CNAME' IN (k.type, o.type)
       AND (o.type, o.data) <> (k.type, k.data) LIMIT 1) AS other
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY k (owner, type, data, zone, n)
  LEFT JOIN LATERAL (
    SELECT id, name FROM ipam.domain
    WHERE CASE WHEN k.zone <> '' THEN name = k.zone ELSE k.owner = name OR right(k.owner, length(name) + 1) = '.' || name END
    ORDER BY length(name) DESC LIMIT 1
  ) d ON true
  ORDER BY k.n`;

const clashes = (a: NameEdit, b: NameEdit): boolean =>
  (a.type === "CNAME" || b.type === "CNAME") && !(a.type === b.type && a.data === b.data);

function refusalOf({ owner, type, zone: wanted }: NameEdit, { zone, other }: Fact): Refused | undefined {
  if (zone === null)
    return wanted === ""
      ? new Refused("domain-above-not-found", { owner })
      : new Refused("domain-not-found", { subject: `name ${owner}`, domain: wanted });
  const isReverse = type === "PTR" && /\.(in-addr|ip6)\.arpa$/.test(owner);
  if (owner !== zone && !owner.endsWith(`.${zone}`) && !isReverse)
    return new Refused("name-not-in-domain", { owner, domain: zone });
  return other === null ? undefined : new Refused("name-beside-cname", { owner, type: other });
}

/** Adds a declared record, or changes its TTL. */
export async function putName(
  client: pg.ClientBase,
  name: Omit<Name, "kind" | "id" | "version">,
  actor: string,
): Promise<Name> {
  const { rows: zones } = await client.query<{ name: string }>("SELECT name FROM ipam.domain WHERE id = $1", [
    name.domain,
  ]);
  if (!zones[0]) throw new Refused("domain-not-found", { subject: `name ${name.owner}`, domain: String(name.domain) });
  return rowFrom("name", await putOne(client, { ...name, zone: zones[0].name }, actor));
}

async function putOne(client: pg.ClientBase, name: NameEdit, actor: string): Promise<StoredRow<"name">> {
  const { refused, rows } = await putNames(client, [name], actor);
  if (refused[0]) throw refused[0].refused;
  return rows[0]!;
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
    await putOne(client, { owner, type, data, ttlSeconds, zone: "" }, actor);
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
  const { rows } = await client.query<{ row: StoredRow<"name"> }>(
    `DELETE FROM ipam.name n WHERE owner = $1 AND type = $2 RETURNING to_jsonb(n) AS "row"`,
    [owner, type],
  );
  if (rows.length === 0) throw new Refused("record-not-found", { type, owner });
  await append.tombstones(
    client,
    "name",
    rows.map(({ row }) => row),
    actor,
  );
}
