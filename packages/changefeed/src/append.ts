import type pg from "pg";
import type { EventMap, Row } from "./change.ts";
import { NEXT_VERSION, TABLES } from "./place.ts";
import type { Json, Registry } from "./registry.ts";

/**
 * Appends to the feed in the transaction of `client`: the change is committed with the row, or not at all. Done by the
 * writer and not by triggers: only the writer knows the actor, the trace and whether DNS may differ, and one statement
 * is enough for a whole batch.
 */
export interface Appender<R extends Row, E extends EventMap, A extends string> {
  /** One change for each row. Rows are as the statement that changed them returned them, with their new versions. */
  changes(client: pg.ClientBase, kind: R["kind"], rows: readonly Json[], by: By): Promise<void>;
  /** One tombstone for each deleted row: a new version, no row. */
  tombstones(client: pg.ClientBase, kind: R["kind"], rows: readonly Json[], actor: string): Promise<void>;
  events<K extends keyof E & string>(
    client: pg.ClientBase,
    kind: K,
    events: readonly Occurred<E[K]>[],
    actor: string,
  ): Promise<void>;
  /** An entry for the audit alone; without `row`, of something that was deleted. */
  audit(client: pg.ClientBase, kind: A, key: string, row: object | undefined, actor: string): Promise<void>;
}

export interface By {
  /** Who makes the change: `daemon/dhcpd`. */
  readonly actor: string;
  /** Whether names or addresses in DNS may differ after it. */
  readonly dns: boolean;
}

export interface Occurred<E> {
  readonly event: E;
  /** W3C trace id of the boot it belongs to, if any. */
  readonly trace?: string | undefined;
}

/** The `INSERT` of row changes inside a larger statement: `from` has `version, key, dns, "row", trace`; `$1` is the actor. */
export function appendFrom(kind: string, from: string): string {
  return `
  INSERT INTO ${TABLES.outbox} (version, kind, key, dns, "row", actor, trace)
  SELECT c.version, '${kind}', c.key, c.dns, c."row", $1, c.trace FROM ${from} c`;
}

const CHANGES = `
  INSERT INTO ${TABLES.outbox} (version, kind, key, dns, "row", actor)
  SELECT (r ->> 'version')::bigint, $1, k, $2, r, $3 FROM unnest($4::text[], $5::jsonb[]) u (k, r)`;

const TOMBSTONES = `
  INSERT INTO ${TABLES.outbox} (version, kind, key, dns, actor)
  SELECT ${NEXT_VERSION}, $1, k, true, $2 FROM unnest($3::text[]) k`;

const EVENTS = `
  INSERT INTO ${TABLES.outbox} (version, kind, key, dns, "row", actor, trace)
  SELECT ${NEXT_VERSION}, $1, k, false, r, $2, t FROM unnest($3::text[], $4::jsonb[], $5::text[]) u (k, r, t)`;

const AUDIT = `
  INSERT INTO ${TABLES.outbox} (version, kind, key, dns, "row", actor)
  VALUES (coalesce(($3::jsonb ->> 'version')::bigint, ${NEXT_VERSION}), $1, $2, false, $3, $4)`;

/** An appender of the registry's kinds. It keeps no state: any number of transactions may use it at once. */
export function createAppender<R extends Row, E extends EventMap, A extends string>(
  registry: Registry<R, E, A>,
): Appender<R, E, A> {
  const keysOf = (kind: R["kind"], rows: readonly Json[]): string[] => {
    const { keyOf } = registry.rows[kind];
    return rows.map((row) => keyOf(row));
  };
  return {
    async changes(client, kind, rows, { actor, dns }) {
      if (rows.length === 0) return;
      const values = [kind, dns, actor, keysOf(kind, rows), rows.map((row) => JSON.stringify(row))];
      await client.query({ name: "append-changes", text: CHANGES, values });
    },
    async tombstones(client, kind, rows, actor) {
      if (rows.length === 0) return;
      await client.query({ name: "append-tombstones", text: TOMBSTONES, values: [kind, actor, keysOf(kind, rows)] });
    },
    async events(client, kind, events, actor) {
      if (events.length === 0) return;
      const { keyOf } = registry.events[kind];
      const keys = events.map(({ event }) => keyOf(event));
      const texts = events.map(({ event }) => JSON.stringify(event));
      const traces = events.map(({ trace }) => trace ?? null);
      await client.query({ name: "append-events", text: EVENTS, values: [kind, actor, keys, texts, traces] });
    },
    async audit(client, kind, key, row, actor) {
      const values = [kind, key, row ? JSON.stringify(row) : null, actor];
      await client.query({ name: "append-audit", text: AUDIT, values });
    },
  };
}
