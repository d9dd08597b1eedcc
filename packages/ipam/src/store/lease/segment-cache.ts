import type pg from "pg";
import type { PrefixRow, Segment } from "../../model/model.ts";
import { type Json, rowFrom } from "../../database/rows.ts";

/** A segment and its prefixes, valid for the transaction of a batch. */
export interface CachedSegment {
  readonly segment: Segment;
  readonly prefixes: readonly PrefixRow[];
}

const SEGMENTS = `
  SELECT s."row" AS segment, (SELECT coalesce(jsonb_agg(p), '[]') FROM ipam.prefix p WHERE p.segment = k.id) AS prefixes
  FROM unnest($1::int[]) k (id), LATERAL (SELECT to_jsonb(t) AS "row" FROM ipam.segment t WHERE id = k.id OFFSET 0) s`;

/**
 * A cache of segments and prefixes for one edition. Every edit begins a new edition, and no edit of a segment runs at the same time as a
 * batch in it (`locks.ts`). Therefore a batch reads a segment once after an edit, not for every lease.
 */
export class SegmentCache {
  #edition: string | undefined;
  #known = new Map<number, CachedSegment>();

  /** The rows of these segments and of their prefixes; a segment that does not exist is missing. `edition`: what the transaction has read. */
  async of(
    client: pg.ClientBase,
    edition: string,
    segments: Iterable<number>,
  ): Promise<ReadonlyMap<number, CachedSegment>> {
    if (edition !== this.#edition) [this.#edition, this.#known] = [edition, new Map()];
    const known = this.#known; // of this edition, whatever others find meanwhile
    const missing = [...new Set(segments)].filter((segment) => !known.has(segment));
    if (missing.length === 0) return known;
    const { rows } = await client.query<{ segment: Json; prefixes: Json[] }>({
      name: "cached-segments",
      text: SEGMENTS,
      values: [missing],
    });
    for (const { segment, prefixes } of rows) {
      const cached = { segment: rowFrom("segment", segment), prefixes: prefixes.map((row) => rowFrom("prefix", row)) };
      known.set(cached.segment.id, cached);
    }
    return known;
  }
}
