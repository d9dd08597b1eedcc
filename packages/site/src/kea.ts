import type { KeaRow } from "@firstlight/ipam/exchange";
import { Client } from "pg";
import { NoContext } from "./operator.ts";

const PAGE = 5_000;
const MOST_ROWS = 2_000_000;

const BYTES = (column: string): string => `encode(coalesce(${column}, ''), 'hex')`;
const COMMON = `${BYTES("hwaddr")} AS hwaddr, valid_lifetime::float8 AS valid, extract(epoch FROM expire)::float8 AS expire,
  state::int AS state, coalesce(user_context, '') AS user_context`;

/**
 * Leases of Kea's PostgreSQL schema, page by page after the last `key`; what may be NULL is empty. An address of IPv6 is text up to
 * schema 14 and `inet` since; the lease's type is part of its key, because a delegated prefix may begin with an address.
 */
const TABLES = [
  {
    name: "lease4",
    select: `SELECT address::text AS key, host('0.0.0.0'::inet + address) AS ip, ${BYTES("client_id")} AS client_id, ${COMMON}
      FROM lease4 WHERE address > $1::bigint ORDER BY address LIMIT ${PAGE}`,
    first: "-1",
  },
  {
    name: "lease6",
    select: `SELECT l.key, host(address::text::inet) AS ip, ${BYTES("duid")} AS duid, iaid::float8 AS iaid, lease_type::int AS type, ${COMMON}
      FROM (SELECT *, address::text || ' ' || lease_type AS key FROM lease6) l WHERE l.key COLLATE "C" > $1 ORDER BY l.key COLLATE "C" LIMIT ${PAGE}`,
    first: "",
  },
] as const;

interface Row {
  readonly key: string;
  readonly ip: string;
  readonly hwaddr: string;
  readonly client_id?: string;
  readonly duid?: string;
  readonly iaid?: number;
  readonly type?: number;
  readonly valid: number;
  readonly expire: number;
  readonly state: number;
  readonly user_context: string;
}

/** All leases that Kea keeps at this URL; a password is better in PGPASSWORD or ~/.pgpass than in it. */
export async function keaTable(url: string): Promise<KeaRow[]> {
  const client = new Client({
    connectionString: url,
    application_name: "firstlight/leases import",
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
  });
  try {
    await client.connect();
    const all: KeaRow[] = [];
    for (const table of TABLES) await readTable(client, table, all);
    return all;
  } catch (error) {
    if (error instanceof NoContext) throw error;
    const { message, code } = error as { message?: string; code?: string };
    throw new NoContext(`Kea's database: ${message || code}`, { cause: error });
  } finally {
    await client.end();
  }
}

/** A database of DHCPv4 alone, or of an old Kea, has one of them; none at all is not Kea's. */
async function readTable(
  client: Client,
  { name, select, first }: (typeof TABLES)[number],
  all: KeaRow[],
): Promise<void> {
  if (name === "lease6" && !(await isThere(client, name))) return;
  for (let after: string = first; all.length < MOST_ROWS;) {
    const { rows } = await client.query<Row>(select, [after]);
    all.push(...rows.map(keaRow));
    if (rows.length < PAGE) return;
    after = rows.at(-1)!.key;
  }
  throw new NoContext(`Kea's database holds more than ${MOST_ROWS} leases`);
}

async function isThere(client: Client, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [table]);
  return rows[0]!.there;
}

function keaRow(row: Row): KeaRow {
  const { ip, hwaddr, client_id: clientId = "", duid, iaid = 0, type = 0, valid, expire, state, user_context } = row;
  const common = { address: ip, hwaddr, clientId, validSeconds: valid, expire: Math.round(expire), state };
  return { ...common, userContext: user_context, ...(duid !== undefined && { six: { duid, iaid, type } }) };
}
