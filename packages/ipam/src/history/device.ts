import { formatMac, type Mac } from "@firstlight/wire";
import type pg from "pg";
import { LEASE_STATES, RELOCATIONS } from "../fields/lists.ts";
import type { RelocationEvent } from "../model/relocation-event.ts";
import { bytes, instant, integer, oneOf, optional, rowOf, text } from "../database/columns.ts";
import { MACHINE } from "./archive.ts";

/** One address that a device had, wherever that was. Times are milliseconds of the database's clock. */
export interface Had {
  readonly vrf: string;
  readonly address: string;
  readonly segment: string;
  readonly interface: number;
  readonly machine?: string;
  readonly from: number;
  /** When the promise ended, or will. */
  readonly until: number;
  /** `bound`: the promise runs; `lapsed`: it ran out; `released`, `declined`: given back, or left behind by a move. */
  readonly is: "bound" | "lapsed" | "released" | "declined";
  readonly giaddr?: string;
  readonly circuitId?: Uint8Array;
}

/** A device came to a segment where it was not at home. */
export interface Arrived extends Omit<RelocationEvent, "mac" | "machine"> {
  readonly at: number;
}

export interface WhatHad {
  /** The newest first. */
  readonly tenancies: readonly Had[];
  readonly arrivals: readonly Arrived[];
  /** What the next page begins after; absent: that was all. */
  readonly next?: string;
  /** Why there is none. */
  readonly because?: string;
}

/** Most arrivals shown: who moves more often than that has a page of the audit. */
const ARRIVALS = 100;

/** The leases themselves are asked too: they know their last renewal a moment before the history does. */
const HAD = `
  SELECT t.vrf, host(t.address) AS address, coalesce(s.name, '') AS segment, t.interface, t.machine, t.starts_at::text AS began,
    floor(extract(epoch FROM t.starts_at) * 1000)::float8 AS "from",
    floor(extract(epoch FROM coalesce(t.closed_at, t.expires_at)) * 1000)::float8 AS until,
    CASE WHEN t.state <> 'bound' THEN t.state WHEN coalesce(t.closed_at, t.expires_at) > now() THEN 'bound' ELSE 'lapsed' END AS is,
    host(t.giaddr) AS giaddr, t.circuit_id AS "circuitId"
  FROM (
    SELECT DISTINCT ON (starts_at, vrf, address) * FROM (
      SELECT vrf, address, starts_at, expires_at, closed_at, state, segment, interface, machine, giaddr, circuit_id, 1 AS rank
      FROM ipam.tenancy WHERE mac = $1::macaddr
      UNION ALL
      SELECT l.vrf, l.address, l.starts_at, l.expires_at, NULL, l.state, l.segment, l.interface, ${MACHINE}, l.giaddr, l.circuit_id, 0
      FROM ipam.interface i JOIN ipam.lease l ON l.interface = i.id WHERE i.mac = $1::macaddr
    ) u
    WHERE $2::timestamptz IS NULL OR (starts_at, vrf, address) < ($2::timestamptz, $3::text, $4::inet)
    ORDER BY starts_at DESC, vrf DESC, address DESC, rank LIMIT $5
  ) t LEFT JOIN ipam.segment s ON s.id = t.segment
  ORDER BY t.starts_at DESC, t.vrf DESC, t.address DESC`;

const HAD_ROW = rowOf("addresses of a device", {
  vrf: text,
  address: text,
  segment: text,
  interface: integer,
  machine: optional(text),
  began: text,
  from: instant,
  until: instant,
  is: oneOf([...LEASE_STATES, "lapsed"]),
  giaddr: optional(text),
  circuitId: optional(bytes),
});

const ARRIVED = `
  SELECT floor(extract(epoch FROM at) * 1000)::float8 AS at, "row"->>'is' AS is, "row"->>'segment' AS segment,
    "row"->>'address' AS address, "row"->>'from' AS "from", "row"->>'was' AS was
  FROM ipam.audit
  WHERE key = $1 AND kind = 'arrival' AND "row" IS NOT NULL ORDER BY id DESC LIMIT ${ARRIVALS}`;

const ARRIVED_ROW = rowOf("arrivals of a device", {
  at: instant,
  is: oneOf(RELOCATIONS),
  segment: text,
  address: text,
  from: optional(text),
  was: optional(text),
});

const BEGUN = `SELECT to_char(begun_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS begun FROM ipam.chronicle`;

/** All that a device had, across segments, a page at a time. `after` is the `next` of the page before. */
export async function whatHad(pool: pg.Pool, mac: Mac, limit: number, after?: string): Promise<WhatHad> {
  const [began = null, vrf = null, address = null] = after === undefined ? [] : (JSON.parse(after) as string[]);
  const { rows } = await pool.query(HAD, [formatMac(mac), began, vrf, address, limit + 1]);
  const { rows: arrived } = await pool.query(ARRIVED, [formatMac(mac)]);
  const page = rows.slice(0, limit).map(HAD_ROW);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const because = page.length === 0 && after === undefined ? await whyNone(pool) : undefined;
  return {
    tenancies: page.map(({ began: _began, ...had }) => had),
    arrivals: arrived.map(ARRIVED_ROW),
    ...(last && { next: JSON.stringify([last.began, last.vrf, last.address]) }),
    ...(because !== undefined && { because }),
  };
}

async function whyNone(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ begun: string }>(BEGUN);
  return rows[0] ? `it had no address since ${rows[0].begun}` : "no history is kept yet";
}
