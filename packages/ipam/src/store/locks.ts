import { PLANNER_SETTINGS } from "../database/planner.ts";

/** Advisory locks of this schema, by (class, number): what excludes what. */
export const LOCKS = {
  /** Edits, one after another; no lease waits for it. */
  edits: "1179403604, 1",
  // 2 is the lock of the feed's leader (LEADER_LOCK of changefeed).
} as const;

/** Class of the locks of segments: shared by lease batches in them, exclusive for edits that concern them. */
const SEGMENTS = 1179403605;
/** Segments that are alike in their last eight bits share a lock: an edit of the whole site takes all of them, and they must have room. */
const MASK = 255;
const EVERY = `generate_series(0, ${MASK})`;

const queue = `SELECT pg_advisory_xact_lock(${LOCKS.edits})`;

/** Beside lease batches everywhere, and beside no edit: of a transaction that has begun. */
export const AS_LEASES = `SELECT pg_advisory_xact_lock_shared(${SEGMENTS}, n) FROM ${EVERY} n`;
/** Beside no lease batch and no edit. */
export const AS_EDIT = `${queue}; SELECT pg_advisory_xact_lock(${SEGMENTS}, n) FROM ${EVERY} n`;
/** Beside no lease batch in the segment that is called `$1`, in a transaction of BEGIN.editOf. */
export const HOLD_SEGMENT = `SELECT pg_advisory_xact_lock(${SEGMENTS}, id & ${MASK}) FROM ipam.segment WHERE name = $1`;

/**
 * How transactions begin. Lease batches never wait for one another here, and for an edit only where it concerns their
 * segments; locks are taken in the order of their numbers, so that nobody waits in a circle.
 */
export const BEGIN = {
  /** On a writer's own connection, whose session plans as PLANNER_SETTINGS says: what the batch reads of its segments stands still. */
  batch: (segments: Iterable<number>): string => `BEGIN; SELECT ${numbersOf(segments).map(shared).join()}`,
  leases: `BEGIN; SET LOCAL ${PLANNER_SETTINGS.join("; SET LOCAL ")}; ${AS_LEASES}`,
  /** Pools have locks of their own. */
  grants: "BEGIN",
  /** Of whatever may concern any segment: a declaration, a sheet, devices that are expected. */
  edit: `BEGIN; ${AS_EDIT}`,
  /** Of one segment: HOLD_SEGMENT comes next. */
  editOf: `BEGIN; ${queue}`,
} as const;

function shared(number: number): string {
  return `pg_advisory_xact_lock_shared(${SEGMENTS}, ${number})`;
}

function numbersOf(segments: Iterable<number>): number[] {
  return [...new Set(Array.from(segments, (segment) => segment & MASK))].toSorted((a, b) => a - b);
}
