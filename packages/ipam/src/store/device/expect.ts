import { formatAddress, formatMac } from "@firstlight/wire";
import type pg from "pg";
import type { Segment } from "../../model/model.ts";
import { labelOf, type Named } from "../../names/naming.ts";
import { HELD_FROM_DECLARATION } from "../../policy/counted-on.ts";
import { type DeviceEdit, Refused } from "../store.ts";
import { giveLabels } from "./labels.ts";
import { append } from "../append.ts";
import { withdrawn } from "../lease/policy.ts";
import { predict } from "./predict.ts";
import type { Json, StoredRow } from "../../database/rows.ts";

export type Device = DeviceEdit;

/** Writes expected devices and updates their existing interfaces. Returns a line per device that changed. */
export async function expectDevices(
  client: pg.ClientBase,
  devices: readonly Device[],
  actor: string,
): Promise<string[]> {
  if (devices.length === 0) return [];
  const seen = new Set<number>();
  for (const { mac } of devices) {
    if (seen.has(mac)) throw new Refused("device-written-twice", { mac: formatMac(mac) });
    seen.add(mac);
  }
  const segments = await idsOf(client, devices);
  const { rows: old } = await client.query<{ address: string }>(
    "SELECT host(address) AS address FROM ipam.expected_device WHERE mac = ANY($1::macaddr[]) AND address IS NOT NULL",
    [devices.map(({ mac }) => formatMac(mac))],
  );
  const { rows } = await client.query<{ row: StoredRow<"expected">; isNew: boolean }>(
    `INSERT INTO ipam.expected_device AS e (mac, machine, serial, role, label, address, segment)
     SELECT * FROM unnest($1::macaddr[], $2::text[], $3::text[], $4::text[], $5::text[], $6::inet[], $7::int[])
       g (mac, machine, serial, role, label, address, segment)
     ORDER BY g.mac
     ON CONFLICT (mac) DO UPDATE SET machine = excluded.machine, serial = excluded.serial, role = excluded.role,
       label = excluded.label, address = excluded.address, segment = excluded.segment, version = nextval('ipam.version')
     WHERE (e.machine, e.serial, e.role, e.label, e.address, e.segment)
       IS DISTINCT FROM (excluded.machine, excluded.serial, excluded.role, excluded.label, excluded.address, excluded.segment)
     RETURNING to_jsonb(e) AS "row", xmax = 0 AS "isNew"`,
    [
      devices.map(({ mac }) => formatMac(mac)),
      devices.map(({ machine }) => machine),
      devices.map(({ serial }) => serial ?? null),
      devices.map(({ role }) => role),
      devices.map(({ label }) => label),
      devices.map(({ address }) => (address === undefined ? null : formatAddress(address))),
      devices.map(({ segment }) => (segment === undefined ? null : segments.get(segment))),
    ],
  );
  const changed = rows.map(({ row }) => row);
  await mustNotClash(client);
  await mustBeFree(client, changed);
  await append.changes(client, "expected", changed, { actor, dns: false });
  const macs = devices.map(({ mac }) => formatMac(mac));
  const predicted = await predict(client, macs, actor); // also of who was expected before its segment was there
  await joinInterfaces(client, [...changed, ...(await expectedRows(client, predicted))], actor);
  await withdrawn(
    client,
    old.map(({ address }) => address),
    actor,
  );
  return rows.map(({ row, isNew }) => `expected device ${row.mac} (${row.label}): ${isNew ? "created" : "changed"}`);
}

/** The segments they are to appear on, by name. */
async function idsOf(client: pg.ClientBase, devices: readonly Device[]): Promise<Map<string, number>> {
  const names = [...new Set(devices.flatMap(({ segment }) => segment ?? []))];
  if (names.length === 0) return new Map();
  const { rows } = await client.query<{ id: number; name: string }>(
    "SELECT id, name FROM ipam.segment WHERE name = ANY ($1)",
    [names],
  );
  const ids = new Map(rows.map(({ id, name }) => [name, id]));
  const stray = devices.find(({ segment }) => segment !== undefined && !ids.has(segment));
  if (stray) throw new Refused("device-segment-not-found", { mac: formatMac(stray.mac), segment: stray.segment! });
  return ids;
}

/** The constraints are deferred, so that two devices may swap; here one still knows who clashes with whom. */
async function mustNotClash(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ what: "label" | "address"; value: string; macs: string[] }>(
    `SELECT 'label' AS what, label AS value, array_agg(mac::text ORDER BY mac) AS macs FROM ipam.expected_device GROUP BY label HAVING count(*) > 1
     UNION ALL
     SELECT 'address', host(address), array_agg(mac::text ORDER BY mac) FROM ipam.expected_device WHERE address IS NOT NULL GROUP BY address HAVING count(*) > 1
     LIMIT 1`,
  );
  if (!rows[0]) return;
  const { what, value, macs } = rows[0];
  throw new Refused(`${what}-declared-twice`, { [what]: value, macs: macs.join(" and ") });
}

/** Refuses a declared address that its segment may not give or that another client holds. */
async function mustBeFree(client: pg.ClientBase, devices: readonly StoredRow<"expected">[]): Promise<void> {
  const { rows } = await client.query<{ mac: string; address: string; holder: string | null; segment: string | null }>(
    `SELECT d.mac::text, host(d.address) AS address, l.mac::text AS holder, s.name AS segment
     FROM ipam.expected_device d
     LEFT JOIN ipam.prefix p ON p.prefix >>= d.address AND NOT ipam.assignable(p, d.address)
     LEFT JOIN ipam.segment s ON s.id = p.segment
     LEFT JOIN (ipam.lease l LEFT JOIN ipam.interface i ON i.id = l.interface) ON l.address = d.address AND l.mac <> d.mac
       AND ${HELD_FROM_DECLARATION}
     WHERE d.mac = ANY($1::macaddr[]) AND d.address IS NOT NULL AND (l.mac IS NOT NULL OR p.id IS NOT NULL) LIMIT 1`,
    [devices.map(({ mac }) => mac)],
  );
  const bad = rows[0];
  if (!bad) return;
  const { mac, address, holder, segment } = bad;
  if (holder !== null) throw new Refused("device-address-held", { mac, address, holder });
  throw new Refused("device-address-not-assignable", { mac, address, segment: segment! });
}

async function expectedRows(client: pg.ClientBase, macs: readonly string[]): Promise<StoredRow<"expected">[]> {
  if (macs.length === 0) return [];
  const { rows } = await client.query<{ row: StoredRow<"expected"> }>(
    `SELECT to_jsonb(e) AS "row" FROM ipam.expected_device e WHERE mac = ANY ($1::macaddr[])`,
    [macs],
  );
  return rows.map(({ row }) => row);
}

/** Gives seen and predicted interfaces their role, machine and label; of two interfaces in one domain, one gets the label. */
async function joinInterfaces(
  client: pg.ClientBase,
  devices: readonly StoredRow<"expected">[],
  actor: string,
): Promise<void> {
  const byMac = new Map(devices.map((device) => [device.mac, device]));
  const { rows } = await client.query<{ id: number; mac: string; naming: Segment["naming"]; isFirst: boolean }>(
    `SELECT i.id, i.mac::text, s.naming,
       row_number() OVER (PARTITION BY i.mac, i.domain ORDER BY i.label IS NULL, i.id) = 1 AS "isFirst"
     FROM ipam.interface i JOIN ipam.segment s ON s.id = i.segment
     WHERE i.mac = ANY($1::macaddr[]) AND i.state IS DISTINCT FROM 'away' ORDER BY i.id`,
    [[...byMac.keys()]],
  );
  if (rows.length === 0) return;
  const wants = rows.map(({ id, mac, naming, isFirst }) => ({
    id,
    label: (isFirst && labelOf(naming, byMac.get(mac) as unknown as Named)) || null,
  }));
  await giveLabels(client, wants, actor);
  const { rows: joined } = await client.query<{ row: Json }>(
    `UPDATE ipam.interface i SET role = e.role, machine = e.machine, identified_by = 'expected', version = nextval('ipam.version')
     FROM ipam.expected_device e WHERE i.id = ANY($1) AND e.mac = i.mac RETURNING to_jsonb(i) AS "row"`,
    [rows.map(({ id }) => id)],
  );
  await append.changes(
    client,
    "interface",
    joined.map(({ row }) => row),
    { actor, dns: true },
  );
}
