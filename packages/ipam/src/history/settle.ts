import type pg from "pg";
import { type Arrival, arrive, otherInterfacesOf } from "../store/device/arrive.ts";
import { integer, rowOf } from "../database/columns.ts";
import { rowFrom } from "../database/rows.ts";
import { AS_LEASES } from "../store/locks.ts";
import type { Slice } from "./walk.ts";

/** Most devices settled at a time: their interfaces are locked meanwhile. */
const MOST = 200;

/**
 * Where devices live that have another home on segments of the same kind and VRF, of which the promise is over: with whom
 * they share a slice, and what they have. Nearly nobody has two homes, so the indexes on identities answer.
 */
const SURVIVORS = `
  SELECT DISTINCT ON (o.mac, o.identity) to_jsonb(o) AS interface, host(l.address) AS address, o.segment, os.naming,
    (SELECT to_jsonb(e) FROM ipam.expected_device e WHERE e.mac = o.mac) AS expected, i.id AS over
  FROM ipam.interface i JOIN ipam.segment s ON s.id = i.segment
  JOIN ipam.interface o ON (o.mac = i.mac OR o.identity = i.identity) AND o.id <> i.id AND o.state IS NULL
  JOIN ipam.segment os ON os.id = o.segment AND os.vrf = s.vrf AND os.is = s.is
  JOIN ipam.lease l ON l.interface = o.id AND l.state = 'bound' AND l.expires_at > now()
  WHERE i.id > $1 AND i.id <= $2 AND i.state IS DISTINCT FROM 'away' AND ($3::int[] IS NULL OR (i.id = ANY ($3) AND o.id = ANY ($3)))
    AND NOT EXISTS (SELECT FROM ipam.lease w WHERE w.interface = i.id AND w.state = 'bound' AND w.expires_at > now())
  ORDER BY o.mac, o.identity, l.starts_at DESC LIMIT ${MOST}`;

const LOCK = `SELECT id FROM ipam.interface WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`;

const LOCKED_ROW = rowOf("locked interfaces", { id: integer });

type Found = Omit<Arrival, "otherInterfaces" | "identity"> & { readonly over: number };
type Survivor = Omit<Arrival, "otherInterfaces"> & { readonly over: number };

/**
 * A device that has two homes lives where its promise runs: those whose promise is over are left, as by a move. So ends
 * what a segment `keep`s, what alternated, and what another writer held at the moment of a move.
 */
export async function settle(client: pg.ClientBase, { after, to }: Slice): Promise<number> {
  const find = async (among: readonly number[] | null): Promise<Survivor[]> =>
    (await client.query<Found>(SURVIVORS, [after, to, among])).rows.map((one) => ({
      ...one,
      identity: rowFrom("interface", one.interface).identity,
    }));
  const found = await find(null);
  if (found.length === 0) return 0;
  await client.query(AS_LEASES);
  const { rows: locked } = await client.query(LOCK, [found.flatMap(({ interface: own, over }) => [own.id, over])]);
  const survivors = await find(locked.map((row) => LOCKED_ROW(row).id));
  const otherInterfaces = await otherInterfacesOf(client, survivors);
  const arrivals = survivors.map((one, n): Arrival => {
    const others = otherInterfaces[n]!.map((other) => ({ ...other, rehome: "keep" as const })); // what runs is not ours to end
    return { ...one, otherInterfaces: others };
  });
  await arrive(client, arrivals, "daemon/api");
  return arrivals.length;
}
