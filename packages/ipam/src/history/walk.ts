import type pg from "pg";

/** Interfaces after `after`, in the order of their ids: both ends of the next part of a walk over all of them. */
export interface Slice {
  readonly after: number;
  readonly to: number;
}

/** Interfaces in one slice. */
const MOST = 1000;

const NEXT = `
  SELECT max(id) AS "to", count(*)::int AS count
  FROM (SELECT id FROM ipam.interface WHERE id > $1 ORDER BY id LIMIT ${MOST}) s`;

/** The next slice, and where to go on: at the beginning again after the last. */
export async function nextSlice(
  client: pg.ClientBase,
  after: number,
): Promise<{ readonly slice: Slice; readonly next: number }> {
  const { rows } = await client.query<{ to: number | null; count: number }>(NEXT, [after]);
  const { to, count } = rows[0]!;
  return { slice: { after, to: to ?? after }, next: count < MOST ? 0 : to! };
}
