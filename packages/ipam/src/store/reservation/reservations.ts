import { type Address, formatAddress } from "@firstlight/wire";
import type pg from "pg";
import type { Reservation } from "../../model/model.ts";
import { COUNTED_ON } from "../../policy/counted-on.ts";
import { Refused, type ReservationEdit } from "../store.ts";
import type { RowRefusal } from "../dns/names.ts";
import { append } from "../append.ts";
import { columnsOf } from "../../fields/field.ts";
import { RESERVATION_FIELDS } from "../../fields/reservation.ts";
import { columnValue } from "../../fields/values.ts";
import { withdrawn } from "../lease/policy.ts";
import { type Json, rowFrom, type StoredRow } from "../../database/rows.ts";

/** Reserves an address for an identity; its earlier reservation in this family is deleted. */
export async function putReservation(
  client: pg.ClientBase,
  edit: ReservationEdit,
  actor: string,
): Promise<{ readonly reservation: Reservation; readonly isNew: boolean }> {
  const { rows: same } = await client.query<{ row: StoredRow<"reservation"> }>(
    `SELECT to_jsonb(r) AS "row" FROM ipam.reservation r JOIN ipam.segment s ON s.id = r.segment
     WHERE s.name = $1 AND address = $2 AND identity = $3 AND origin = 'declared' AND to_jsonb(r) @> $4::jsonb`,
    [edit.segment, formatAddress(edit.address), edit.identity, settingsOf(edit)],
  );
  if (same[0]) return { reservation: rowFrom("reservation", same[0].row), isNew: false };
  const { refused, rows } = await putReservations(client, [edit], actor);
  if (refused[0]) throw refused[0].refused;
  return { reservation: rowFrom("reservation", rows[0]!), isNew: true };
}

/**
 * The same for many reservations, with one statement per step: all of them or, with a reason each, none. Earlier reservations of these
 * identities are deleted first and, with `replaces`, those of these addresses, so that two can swap. No identity may be there twice.
 * If one is refused, the caller rolls back.
 */
export async function putReservations(
  client: pg.ClientBase,
  edits: readonly ReservationEdit[],
  actor: string,
  replaces = false,
): Promise<{ readonly refused: readonly RowRefusal[]; readonly rows: readonly Json[] }> {
  const segments = await segmentsNamed(client, edits);
  const stray = edits.flatMap(({ segment }, n): RowRefusal[] =>
    segments.has(segment) ? [] : [{ n, refused: new Refused("segment-not-found", { segment }) }],
  );
  if (stray.length > 0) return { refused: stray, rows: [] };
  const columns = [
    edits.map(({ segment }) => segments.get(segment)!.id),
    edits.map(({ segment }) => segments.get(segment)!.vrf),
    edits.map(({ address }) => formatAddress(address)),
    edits.map(({ identity }) => identity),
  ];
  const gone = [
    ...(await deleted(client, OF_IDENTITY, [columns[0], columns[2], columns[3]])),
    ...(replaces ? await deleted(client, AT_ADDRESS, columns.slice(0, 3)) : []),
  ];
  const { rows: facts } = await client.query<Fact>(FACTS, columns);
  const refused = edits.flatMap((edit, n): RowRefusal[] => {
    const refused = refusalOf(edit, facts[n]!);
    return refused === undefined ? [] : [{ n, refused }];
  });
  if (refused.length > 0) return { refused, rows: [] };
  const { rows: written } = await client.query<{ row: StoredRow<"reservation"> }>(
    `INSERT INTO ipam.reservation AS r (segment, vrf, address, identity, origin, ${SETTINGS.join(", ")})
     SELECT g.segment, g.vrf, g.address, g.identity, 'declared', ${SETTINGS.map((name) => `f.${name}`).join(", ")}
     FROM unnest($1::int[], $2::text[], $3::inet[], $4::text[], $5::jsonb[]) g (segment, vrf, address, identity, settings),
       LATERAL jsonb_populate_record(null::ipam.reservation, g.settings) f
     ORDER BY g.vrf, g.address RETURNING to_jsonb(r) AS "row"`,
    [...columns, edits.map(settingsOf)],
  );
  const rows = rowsOf(written);
  await append.tombstones(client, "reservation", gone, actor);
  await append.changes(client, "reservation", rows, { actor, dns: false });
  await withdrawn(client, addressesOf(gone), actor);
  return { refused: [], rows };
}

export async function deleteReservation(
  client: pg.ClientBase,
  segment: string,
  address: Address,
  actor: string,
): Promise<void> {
  const { rows } = await client.query<{ row: StoredRow<"reservation"> }>(
    `DELETE FROM ipam.reservation r USING ipam.segment s WHERE s.id = r.segment AND s.name = $1 AND r.address = $2
     RETURNING to_jsonb(r) AS "row"`,
    [segment, formatAddress(address)],
  );
  if (rows.length === 0) throw new Refused("reservation-not-found", { segment, address: formatAddress(address) });
  await append.tombstones(client, "reservation", rowsOf(rows), actor);
  await withdrawn(client, addressesOf(rowsOf(rows)), actor);
}

interface Place {
  readonly id: number;
  readonly vrf: string;
}

async function segmentsNamed(
  client: pg.ClientBase,
  edits: readonly ReservationEdit[],
): Promise<ReadonlyMap<string, Place>> {
  const { rows } = await client.query<Place & { name: string }>(
    "SELECT id, name, vrf FROM ipam.segment WHERE name = ANY($1)",
    [[...new Set(edits.map(({ segment }) => segment))]],
  );
  return new Map(rows.map((row) => [row.name, row]));
}

const OF_IDENTITY = `
  DELETE FROM ipam.reservation r USING unnest($1::int[], $2::inet[], $3::text[]) k (segment, address, identity)
  WHERE r.segment = k.segment AND r.identity = k.identity AND family(r.address) = family(k.address)
  RETURNING to_jsonb(r) AS "row"`;

const AT_ADDRESS = `
  DELETE FROM ipam.reservation r USING unnest($1::int[], $2::text[], $3::inet[]) k (segment, vrf, address)
  WHERE r.segment = k.segment AND r.vrf = k.vrf AND r.address = k.address RETURNING to_jsonb(r) AS "row"`;

async function deleted(
  client: pg.ClientBase,
  text: string,
  values: readonly unknown[],
): Promise<StoredRow<"reservation">[]> {
  return rowsOf((await client.query<{ row: StoredRow<"reservation"> }>(text, [...values])).rows);
}

const SETTINGS = columnsOf(RESERVATION_FIELDS).map(([, column]) => column);

/** The columns of a reservation's settings as JSON; what is not set is null. */
function settingsOf(edit: ReservationEdit): string {
  const settings = columnsOf(RESERVATION_FIELDS).map(([name, column, field]) => [
    column,
    columnValue(field, edit[name as keyof ReservationEdit]),
  ]);
  return JSON.stringify(Object.fromEntries(settings));
}

/** The facts that may refuse a reservation. */
interface Fact {
  readonly assignable: boolean;
  readonly reserved: string | null;
  readonly device: string | null;
  readonly holder: string | null;
}

const FACTS = `
  SELECT EXISTS (SELECT FROM ipam.prefix p WHERE p.segment = k.segment AND ipam.assignable(p, k.address)) AS assignable,
    (SELECT r.identity FROM ipam.reservation r WHERE r.vrf = k.vrf AND r.address = k.address) AS reserved,
    (SELECT e.mac::text FROM ipam.expected_device e WHERE e.address = k.address) AS device,
    (SELECT l.mac::text FROM ipam.lease l LEFT JOIN ipam.interface i ON i.id = l.interface
     WHERE l.vrf = k.vrf AND l.address = k.address AND ${COUNTED_ON}) AS holder
  FROM unnest($1::int[], $2::text[], $3::inet[], $4::text[]) WITH ORDINALITY k (segment, vrf, address, identity, n)
  ORDER BY k.n`;

/** Why a reservation is refused. The holder of a port's address must yield to the port; any other address must be free. */
function refusalOf(
  { identity, segment, address }: ReservationEdit,
  { assignable, reserved, device, holder }: Fact,
): Refused | undefined {
  const place = { segment, address: formatAddress(address) };
  if (!assignable) return new Refused("address-not-of-segment", place);
  if (reserved !== null && reserved !== identity)
    return new Refused("address-reserved-for", { ...place, holder: reserved });
  if (device !== null && identity !== `mac ${device}`)
    return new Refused("address-declared-for", { ...place, holder: device });
  if (holder !== null && identity.startsWith("mac ") && identity !== `mac ${holder}`)
    return new Refused("address-held-by", { ...place, holder });
  return undefined;
}

const rowsOf = (rows: readonly { readonly row: StoredRow<"reservation"> }[]): StoredRow<"reservation">[] =>
  rows.map(({ row }) => row);
const addressesOf = (rows: readonly StoredRow<"reservation">[]): string[] => rows.map(({ address }) => address);
