import { type Address, formatAddress } from "@firstlight/wire";
import type pg from "pg";
import type { Reservation } from "../model.ts";
import { Refused, type ReservationEdit } from "../store.ts";
import { note, noteGone } from "./note.ts";
import { type Json, rowFrom } from "./rows.ts";
import { segmentNamed } from "./segments.ts";
import { withdrawn } from "./policy.ts";

/** Promises an address to an identity; one that the identity had in this family before is let go. */
export async function putReservation(
  client: pg.ClientBase,
  edit: ReservationEdit,
  actor: string,
): Promise<{ readonly reservation: Reservation; readonly isNew: boolean }> {
  const segment = await segmentNamed(client, edit.segment);
  if (!segment) throw new Refused(`there is no segment ${edit.segment}`);
  const [id, vrf, address] = [segment["id"] as number, segment["vrf"] as string, formatAddress(edit.address)];
  const { rows: same } = await client.query<{ row: Json }>(
    `SELECT to_jsonb(r) AS "row" FROM ipam.reservation r
     WHERE vrf = $1 AND address = $2 AND segment = $3 AND identity = $4 AND origin = 'declared'`,
    [vrf, address, id, edit.identity],
  );
  if (same[0]) return { reservation: rowFrom("reservation", same[0].row), isNew: false };
  await mustBePossible(client, edit, { id, vrf, address });
  const { rows: gone } = await client.query<{ row: Json }>(
    `DELETE FROM ipam.reservation r WHERE segment = $1 AND identity = $2 AND family(address) = family($3::inet)
     RETURNING to_jsonb(r) AS "row"`,
    [id, edit.identity, address],
  );
  const { rows } = await client.query<{ row: Json }>(
    `INSERT INTO ipam.reservation AS r (segment, vrf, address, identity, origin) VALUES ($1, $2, $3, $4, 'declared')
     RETURNING to_jsonb(r) AS "row"`,
    [id, vrf, address, edit.identity],
  );
  await noteGone(client, "reservation", rowsOf(gone), actor);
  await note(client, "reservation", rowsOf(rows), { actor, dns: false });
  await withdrawn(client, addressesOf(gone), actor);
  return { reservation: rowFrom("reservation", rows[0]!.row), isNew: true };
}

export async function deleteReservation(
  client: pg.ClientBase,
  segment: string,
  address: Address,
  actor: string,
): Promise<void> {
  const { rows } = await client.query<{ row: Json }>(
    `DELETE FROM ipam.reservation r USING ipam.segment s WHERE s.id = r.segment AND s.name = $1 AND r.address = $2
     RETURNING to_jsonb(r) AS "row"`,
    [segment, formatAddress(address)],
  );
  if (rows.length === 0) throw new Refused(`segment ${segment} has no reservation of ${formatAddress(address)}`);
  await noteGone(client, "reservation", rowsOf(rows), actor);
  await withdrawn(client, addressesOf(rows), actor);
}

/** Whoever holds a port's address has to go when the port asks; any other address must be nobody else's already. */
async function mustBePossible(
  client: pg.ClientBase,
  { identity, segment }: ReservationEdit,
  { id, vrf, address }: { readonly id: number; readonly vrf: string; readonly address: string },
): Promise<void> {
  const { rows } = await client.query<{
    assignable: boolean;
    reserved: string | null;
    device: string | null;
    holder: string | null;
  }>(
    `SELECT EXISTS (SELECT FROM ipam.prefix p WHERE p.segment = $1 AND ipam.assignable(p, $3)) AS assignable,
       (SELECT r.identity FROM ipam.reservation r WHERE r.vrf = $2 AND r.address = $3) AS reserved,
       (SELECT e.mac::text FROM ipam.expected_device e WHERE e.address = $3) AS device,
       (SELECT l.mac::text FROM ipam.lease l LEFT JOIN ipam.interface i ON i.id = l.interface
        WHERE l.vrf = $2 AND l.address = $3 AND (l.reusable_at > now() OR i.machine IS NOT NULL OR l.policy <> 'dynamic')) AS holder`,
    [id, vrf, address],
  );
  const { assignable, reserved, device, holder } = rows[0]!;
  const faults: readonly (readonly [boolean, string])[] = [
    [!assignable, "is not one the segment may give"],
    [reserved !== null && reserved !== identity, `is reserved for ${reserved}`],
    [device !== null && identity !== `mac ${device}`, `is declared for ${device}`],
    [holder !== null && identity.startsWith("mac ") && identity !== `mac ${holder}`, `is held by ${holder}`],
  ];
  const fault = faults.find(([isSo]) => isSo);
  if (fault) throw new Refused(`segment ${segment}: address ${address} ${fault[1]}`);
}

const rowsOf = (rows: readonly { readonly row: Json }[]): Json[] => rows.map(({ row }) => row);
const addressesOf = (rows: readonly { readonly row: Json }[]): string[] =>
  rows.map(({ row }) => row["address"] as string);
