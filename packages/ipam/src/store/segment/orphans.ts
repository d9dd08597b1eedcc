import type pg from "pg";
import type { Segment } from "../../model/model.ts";
import { COUNTED_ON, KEPT_FOR_HOLDER, UNDECLARED } from "../../policy/counted-on.ts";
import { Refused } from "../store.ts";

interface Holder {
  readonly address: string;
  readonly mac: string;
  readonly state: string;
  readonly until: string;
  readonly machine: string | null;
}

interface Promised {
  readonly address: string;
  readonly identity: string;
}

const HOLDER = `host(l.address) AS address, l.mac::text, l.state, to_char(l.reusable_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS until, i.machine`;
const SHOWN = 3;

/** Refuses an edit of a segment's prefixes after which the segment could not give an address that is still counted on. */
export async function mustNotOrphan(client: pg.ClientBase, segment: Segment): Promise<void> {
  const { rows } = await client.query<Holder>(
    `SELECT ${HOLDER} FROM ipam.lease l JOIN ipam.interface i ON i.id = l.interface
     WHERE l.segment = $1 AND l.state = 'bound' AND ${COUNTED_ON}
       AND NOT EXISTS (SELECT FROM ipam.prefix p WHERE p.segment = $1 AND ipam.assignable(p, l.address))
     ORDER BY l.address LIMIT 100`,
    [segment.id],
  );
  if (rows.length > 0) throw new Refused("edit-orphans", { segment: segment.name, addresses: list(rows) });
  await mustSuit(client, segment);
  const { rows: promised } = await client.query<Promised>(
    `SELECT host(address) AS address, identity FROM ipam.reservation r WHERE segment = $1
       AND NOT EXISTS (SELECT FROM ipam.prefix p WHERE p.segment = $1 AND ipam.assignable(p, r.address))
     ORDER BY r.address LIMIT 1`,
    [segment.id],
  );
  if (promised[0]) throw new Refused("edit-orphans", { segment: segment.name, addresses: reserved(promised[0]) });
}

/** Refuses an edit after which an undeclared lease is outside the pools of its holder's role, unless its prefix drains. */
async function mustSuit(client: pg.ClientBase, { id, name }: Segment): Promise<void> {
  const { rowCount: pooled } = await client.query("SELECT FROM ipam.prefix WHERE segment = $1 AND pools <> '[]'", [id]);
  if (!pooled) return;
  const { rows } = await client.query<{ address: string; mac: string; role: string }>(
    `SELECT host(l.address) AS address, l.mac::text, i.role FROM ipam.lease l
     JOIN ipam.interface i ON i.id = l.interface JOIN ipam.segment s ON s.id = l.segment
     JOIN ipam.prefix p ON p.segment = l.segment AND l.address <<= p.prefix::inet
     WHERE l.segment = $1 AND l.state = 'bound' AND ${COUNTED_ON}
       AND s.state = 'active' AND p.state = 'active' AND NOT ipam.suits($1, i.role, l.address)
       AND ${UNDECLARED}
     ORDER BY l.address LIMIT 1`,
    [id],
  );
  if (!rows[0]) return;
  const { address, mac, role } = rows[0];
  throw new Refused("edit-leaves-pool", { segment: name, address, mac, role });
}

/** Refuses the deletion of a segment on which a device is expected. */
export async function mustNotBeAwaited(client: pg.ClientBase, name: string, segment: number): Promise<void> {
  const { rows } = await client.query<{ mac: string }>(
    "SELECT mac::text FROM ipam.expected_device WHERE segment = $1 ORDER BY mac LIMIT 1",
    [segment],
  );
  if (rows[0]) throw new Refused("device-awaited", { segment: name, mac: rows[0].mac });
}

/** Refuses the deletion of a segment with an address that is bound, referenced or in quarantine. In a drained segment, devices that have moved keep nothing. */
export async function mustBeEmpty(
  client: pg.ClientBase,
  name: string,
  segment: number,
  isDrained: boolean,
): Promise<void> {
  const { rows } = await client.query<Holder>(
    `SELECT ${HOLDER} FROM ipam.lease l LEFT JOIN ipam.interface i ON i.id = l.interface
     WHERE l.segment = $1 AND (l.reusable_at > now() OR NOT $2 AND ${KEPT_FOR_HOLDER})
     ORDER BY l.address LIMIT 100`,
    [segment, isDrained],
  );
  if (rows.length > 0) throw new Refused("segment-in-use", { segment: name, addresses: list(rows) });
  const { rows: promised } = await client.query<Promised>(
    `SELECT host(address) AS address, identity FROM ipam.reservation WHERE segment = $1 ORDER BY address LIMIT 1`,
    [segment],
  );
  if (promised[0]) throw new Refused("segment-in-use", { segment: name, addresses: reserved(promised[0]) });
}

const reserved = ({ address, identity }: Promised): string => `${address} (reserved for ${identity})`;

function list(holders: readonly Holder[]): string {
  const shown = holders.slice(0, SHOWN).map(({ address, mac, state, until, machine }) => {
    const whose = machine === null ? mac : `${mac} of machine ${machine}`;
    return state === "bound"
      ? `${address} (bound to ${whose})`
      : `${address} (${state} by ${whose}, rests until ${until})`;
  });
  const more = holders.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more}${holders.length === 100 ? " or" : ""} more` : "");
}
