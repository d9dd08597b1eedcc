import type { KeaRow } from "@firstlight/ipam/exchange";
import { Client } from "pg";
import { NoContext } from "./operator.ts";

const PAGE = 5_000;
const MOST_ROWS = 2_000_000;

/** IPv4 leases of Kea's PostgreSQL schema, page by page; its `user_context` is NULL where nothing is stored. */
const SELECT = `
  SELECT address, '0.0.0.0'::inet + address AS ip, encode(coalesce(hwaddr, ''), 'hex') AS hwaddr,
    encode(coalesce(client_id, ''), 'hex') AS client_id, valid_lifetime::float8 AS valid, extract(epoch FROM expire)::float8 AS expire,
    state::int AS state, coalesce(user_context, '') AS user_context
  FROM lease4 WHERE address > $1 ORDER BY address LIMIT ${PAGE}`;

interface Lease4 {
  readonly address: string;
  readonly ip: string;
  readonly hwaddr: string;
  readonly client_id: string;
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
    for (let after = "-1"; all.length < MOST_ROWS;) {
      const { rows } = await client.query<Lease4>(SELECT, [after]);
      all.push(...rows.map(keaRow));
      if (rows.length < PAGE) return all;
      after = rows.at(-1)!.address;
    }
    throw new NoContext(`Kea's database holds more than ${MOST_ROWS} leases`);
  } catch (error) {
    if (error instanceof NoContext) throw error;
    const { message, code } = error as { message?: string; code?: string };
    throw new NoContext(`Kea's database: ${message || code}`, { cause: error });
  } finally {
    await client.end();
  }
}

function keaRow({ ip, hwaddr, client_id: clientId, valid, expire, state, user_context: userContext }: Lease4): KeaRow {
  return { address: ip, hwaddr, clientId, validSeconds: valid, expire: Math.round(expire), state, userContext };
}
