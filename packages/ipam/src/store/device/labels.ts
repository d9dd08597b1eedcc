import type pg from "pg";
import { append } from "../append.ts";

/** An interface and the label it wants; `null` for none. */
export interface Want {
  readonly id: number;
  readonly label: string | null;
}

const ATTEMPTS = 6;

/**
 * Gives interfaces their labels, a statement per attempt whatever their number. One that is taken gets a suffix, and in
 * the end none at all: a name can never block an address. Each collision leaves an event. One that the same device has in
 * another place stays there, and this place has none. The caller bumps the versions.
 */
export async function giveLabels(client: pg.ClientBase, wants: readonly Want[], actor: string): Promise<void> {
  await client.query("UPDATE ipam.interface SET label = NULL WHERE id = ANY($1) AND label IS NOT NULL", [
    wants.map(({ id }) => id),
  ]);
  let left = wants.filter(({ label }) => label !== null);
  for (let attempt = 1; attempt < ATTEMPTS && left.length > 0; attempt++) {
    const { rows } = await client.query<{ id: number; label: string; domain: number }>(
      `UPDATE ipam.interface i SET label = w.label
       FROM (
         SELECT DISTINCT ON (t.domain, g.label) g.id, g.label
         FROM unnest($1::int[], $2::text[]) g (id, label) JOIN ipam.interface t USING (id) ORDER BY t.domain, g.label, g.id
       ) w
       WHERE i.id = w.id AND NOT EXISTS (SELECT FROM ipam.interface o WHERE o.domain = i.domain AND o.label = w.label)
       RETURNING i.id, i.label, i.domain`,
      [left.map(({ id }) => id), left.map(({ label }) => nthLabel(label, attempt))],
    );
    const given = new Map(rows.map((row) => [row.id, row]));
    for (const { id, label } of attempt === 1 ? [] : left) {
      const got = given.get(id);
      if (got) await noteCollision(client, { wanted: label!, given: got.label, interface: id }, actor);
    }
    left = left.filter(({ id }) => !given.has(id));
    if (attempt === 1 && left.length > 0) left = await foreign(client, left);
  }
  for (const { id, label } of left) await noteCollision(client, { wanted: label!, given: null, interface: id }, actor);
}

/** Interfaces whose label belongs to another device. */
async function foreign(client: pg.ClientBase, wants: readonly Want[]): Promise<Want[]> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT t.id FROM unnest($1::int[], $2::text[]) g (id, label) JOIN ipam.interface t USING (id)
     JOIN ipam.interface o ON o.domain = t.domain AND o.label = g.label AND o.mac = t.mac`,
    [wants.map(({ id }) => id), wants.map(({ label }) => label)],
  );
  const own = new Set(rows.map(({ id }) => id));
  return wants.filter(({ id }) => !own.has(id));
}

/** `r1-bmc`, `r1-bmc-2`, …, none. */
export function nthLabel(label: string | null, attempt: number): string | null {
  if (label === null || attempt >= ATTEMPTS) return null;
  return attempt === 1 ? label : `${label.slice(0, 60)}-${attempt}`;
}

/** A label that is taken, and the label that the interface has instead. */
export function noteCollision(
  client: pg.ClientBase,
  collision: { readonly wanted: string; readonly given: string | null; readonly interface: number },
  actor: string,
): Promise<void> {
  return append.audit(client, "collision", collision.wanted, collision, actor);
}
