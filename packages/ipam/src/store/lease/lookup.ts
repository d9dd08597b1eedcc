import type pg from "pg";
import type { ClientIdentity } from "../../model/identity.ts";
import type { Store } from "../store.ts";
import { IDENTITY_TYPES, type IdentityColumn, type Json, rowFrom, toIdentity } from "../../database/rows.ts";

/** The limit of clients in lookups at a time; others are refused until the client sends again. */
const MOST = 256;
/** The limit of running queries; requests that arrive meanwhile share the next one. */
const AT_ONCE = 2;

type Found = Awaited<ReturnType<Store["lookup"]>>;

const LOOKUP = (column: IdentityColumn): string => `
  SELECT k.client::text AS client,
    (SELECT coalesce(jsonb_agg(i), '[]') FROM ipam.interface i WHERE i.${column} = k.client) AS interfaces,
    (SELECT coalesce(jsonb_agg(l), '[]') FROM ipam.interface i,
      LATERAL (SELECT * FROM ipam.lease WHERE interface = i.id OFFSET 0) l WHERE i.${column} = k.client) AS leases,
    (SELECT to_jsonb(e) FROM ipam.expected_device e WHERE ${column === "mac" ? "e.mac = k.client" : "false"}) AS expected
  FROM unnest($1::${IDENTITY_TYPES[column]}[]) k (client)`;

interface Asked {
  readonly answer: Promise<Found>;
  readonly resolve: (found: Found) => void;
  readonly reject: (fault: unknown) => void;
}

/**
 * Reads everything about one client from the database. When many machines are powered on, requests for the same client share one
 * answer, and requests that arrive during a query share the next one.
 */
export function createLookup(pool: pg.Pool): Store["lookup"] {
  const asked = new Map<ClientIdentity, Asked>();
  let waiting: ClientIdentity[] = [];
  let underWay = 0;

  const next = (): void => {
    if (underWay >= AT_ONCE || waiting.length === 0) return;
    const clients = waiting;
    waiting = [];
    underWay++;
    void findAll(pool, clients)
      .then(
        (found) =>
          clients.map((client) => asked.get(client)!.resolve(found.get(client) ?? { interfaces: [], leases: [] })),
        (fault: unknown) => clients.map((client) => asked.get(client)!.reject(fault)),
      )
      .finally(() => {
        for (const client of clients) asked.delete(client);
        underWay--;
        next();
      });
  };

  return (client) => {
    const same = asked.get(client);
    if (same) return same.answer;
    if (asked.size >= MOST) return Promise.reject(new Error(`${MOST} lookups are under way`));
    const { promise: answer, resolve, reject } = Promise.withResolvers<Found>();
    asked.set(client, { answer, resolve, reject });
    waiting.push(client);
    queueMicrotask(next); // requests of the same turn share the query
    return answer;
  };
}

async function findAll(pool: pg.Pool, clients: readonly ClientIdentity[]): Promise<Map<ClientIdentity, Found>> {
  const macs = clients.filter((client) => typeof client === "number");
  const others = clients.filter((client) => typeof client !== "number");
  const found = await Promise.all([find(pool, "mac", macs), find(pool, "identity", others)]);
  return new Map(found.flat());
}

async function find(
  pool: pg.Pool,
  column: IdentityColumn,
  clients: readonly ClientIdentity[],
): Promise<[ClientIdentity, Found][]> {
  if (clients.length === 0) return [];
  const { rows } = await pool.query<{ client: string; interfaces: Json[]; leases: Json[]; expected: Json | null }>({
    name: `lookup ${column}`,
    text: LOOKUP(column),
    values: [clients.map(toIdentity)],
  });
  const byText = new Map(clients.map((client) => [toIdentity(client), client]));
  return rows.map(({ client, interfaces, leases, expected }) => [
    byText.get(client)!,
    {
      interfaces: interfaces.map((row) => rowFrom("interface", row)),
      leases: leases.map((row) => rowFrom("lease", row)),
      ...(expected && { expected: rowFrom("expected", expected) }),
    },
  ]);
}
