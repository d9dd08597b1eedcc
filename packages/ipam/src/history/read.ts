import { type Address, formatAddress, type Mac } from "@firstlight/wire";
import type pg from "pg";
import { bytes, instant, integer, json, optional, rowOf, text } from "../database/columns.ts";
import type { Utilisation } from "../usage/utilisation.ts";
import { MACHINE } from "./archive.ts";
import { whatHad, type WhatHad } from "./device.ts";
import { type Difference, difference } from "./difference.ts";
import { utilisation } from "./trend.ts";

/** An interface had an address. Times are milliseconds of the database's clock. */
export interface Tenancy {
  readonly vrf: string;
  readonly address: string;
  readonly mac: string;
  readonly segment: string;
  readonly interface: number;
  readonly machine?: string;
  readonly from: number;
  /** When the promise ended, or will. */
  readonly until: number;
  /** `bound`: the promise held at the time that was asked about; `lapsed`: it was over, and nobody else had the address since. */
  readonly is: "bound" | "lapsed";
  readonly giaddr?: string;
  readonly circuitId?: Uint8Array;
}

export interface WhoHad {
  /** One per VRF at most. */
  readonly tenancies: readonly Tenancy[];
  /** Why there is none. */
  readonly because?: string;
}

/** One change of one row, and what it made of it. */
export interface Audited {
  readonly id: number;
  readonly position: number;
  readonly at: number;
  readonly actor: string;
  readonly kind: string;
  readonly key: string;
  readonly did: "created" | "changed" | "deleted";
  readonly changed: readonly Difference[];
  readonly trace?: string;
}

export interface AuditFilter {
  readonly actor?: string;
  readonly kind?: string;
  /** The row's key: an id, a MAC, `vrf/address`; an address alone means it in any VRF. */
  readonly key?: string;
  readonly from?: number;
  readonly to?: number;
  /** Only entries older than this one: the next page. */
  readonly before?: number;
  readonly limit: number;
}

/** What was, for operators. */
export interface History {
  whoHad(address: Address, at: number, vrf?: string): Promise<WhoHad>;
  /** What a device had, on any segment: a page of tenancies, and where it came from. */
  whatHad(mac: Mac, limit: number, after?: string): Promise<WhatHad>;
  /** The newest first. */
  audit(filter: AuditFilter): Promise<Audited[]>;
  /** Every prefix as it was counted last, with its trend over so many days. */
  utilisation(trendDays: number): Promise<Utilisation[]>;
}

/** The lease itself is asked too: it knows its last renewal a moment before the history does. */
const WHO = `
  SELECT DISTINCT ON (t.vrf) t.vrf, abbrev(t.address) AS address, coalesce(t.mac::text, t.identity) AS mac, coalesce(s.name, '') AS segment, t.interface,
    t.machine, floor(extract(epoch FROM t.starts_at) * 1000)::float8 AS "from",
    floor(extract(epoch FROM coalesce(t.closed_at, t.expires_at)) * 1000)::float8 AS until, host(t.giaddr) AS giaddr, t.circuit_id AS "circuitId"
  FROM (
    SELECT vrf, address, starts_at, expires_at, closed_at, segment, interface, mac, identity, machine, giaddr, circuit_id, 1 AS rank
    FROM ipam.tenancy
    UNION ALL
    SELECT l.vrf, l.address, l.starts_at, l.expires_at, NULL, l.segment, l.interface, l.mac, l.identity, ${MACHINE}, l.giaddr, l.circuit_id, 0
    FROM ipam.lease l LEFT JOIN ipam.interface i ON i.id = l.interface
  ) t LEFT JOIN ipam.segment s ON s.id = t.segment
  WHERE t.address = $1::inet AND t.vrf = ANY ($2::text[]) AND t.starts_at <= to_timestamp($3::float8 / 1000)
  ORDER BY t.vrf, t.starts_at DESC, t.rank`;

const WHO_ROW = rowOf("who had an address", {
  vrf: text,
  address: text,
  mac: text,
  segment: text,
  interface: integer,
  machine: optional(text),
  from: instant,
  until: instant,
  giaddr: optional(text),
  circuitId: optional(bytes),
});

const VRFS = "SELECT DISTINCT vrf FROM ipam.prefix WHERE $1::text IS NULL OR vrf = $1";
const BEGUN = `SELECT floor(extract(epoch FROM begun_at) * 1000)::float8 AS begun FROM ipam.chronicle`;

/** The row as it was before is the one the audit has of it before. */
const audit = (of: string): string => `
  SELECT a.id, a.position, floor(extract(epoch FROM a.at) * 1000)::float8 AS at, a.actor, a.kind, a.key, a."row", a.trace, b."row" AS before
  FROM (SELECT * FROM ipam.audit WHERE ${of}) a
  LEFT JOIN LATERAL (
    SELECT p."row" FROM ipam.audit p WHERE p.kind = a.kind AND p.key = a.key AND p.id < a.id ORDER BY p.id DESC LIMIT 1
  ) b ON true
  WHERE ($1::text IS NULL OR a.actor = $1) AND ($2::text IS NULL OR a.kind = $2)
    AND ($4::float8 IS NULL OR a.at >= to_timestamp($4 / 1000)) AND ($5::float8 IS NULL OR a.at < to_timestamp($5 / 1000))
    AND ($6::bigint IS NULL OR a.id < $6)
  ORDER BY a.id DESC LIMIT $7`;

const AUDIT_ROW = rowOf("audit", {
  id: integer,
  position: integer,
  at: instant,
  actor: text,
  kind: text,
  key: text,
  row: optional(json),
  before: optional(json),
  trace: optional(text),
});
type AuditRow = ReturnType<typeof AUDIT_ROW>;

/** The entry of a machine has both states in itself. */
const MACHINE_STATES = rowOf("audit of a machine", { before: json, after: json });

const AUDIT_OF_ALL = audit("$3::text[] IS NULL");
/** By its index, whatever the planner thinks of walking back from the newest. */
const AUDIT_OF_KEYS = audit("key = ANY ($3::text[]) OFFSET 0");

/** On a pool of the caller's. */
export function createHistory(pool: pg.Pool): History {
  return {
    async whoHad(address, at, vrf) {
      const { rows: vrfs } = await pool.query<{ vrf: string }>(VRFS, [vrf ?? null]);
      const { rows } = await pool.query(WHO, [formatAddress(address), vrfs.map((row) => row.vrf), at]);
      if (rows.length > 0) return { tenancies: rows.map((row) => tenancyAt(WHO_ROW(row), at)) };
      const { rows: chronicle } = await pool.query<{ begun: number }>(BEGUN);
      const begun = chronicle[0]?.begun;
      if (begun === undefined) return { tenancies: [], because: "no history is kept yet" };
      const because = at < begun ? `nothing is known before ${new Date(begun).toISOString()}` : "nobody had it";
      return { tenancies: [], because };
    },
    whatHad: (mac, limit, after) => whatHad(pool, mac, limit, after),
    async audit({ actor, kind, key, from, to, before, limit }) {
      const { rows: vrfs } = await pool.query<{ vrf: string }>(VRFS, [null]);
      const keys = key === undefined ? null : [key, ...vrfs.map(({ vrf }) => `${vrf}/${key}`)];
      const values = [actor ?? null, kind ?? null, keys, from ?? null, to ?? null, before ?? null, limit];
      const { rows } = await pool.query(keys ? AUDIT_OF_KEYS : AUDIT_OF_ALL, values);
      return rows.map((row) => audited(AUDIT_ROW(row)));
    },
    utilisation: (trendDays) => utilisation(pool, trendDays),
  };
}

function tenancyAt(row: Omit<Tenancy, "is">, at: number): Tenancy {
  return { ...row, is: at < row.until ? "bound" : "lapsed" };
}

/** Kinds of which an entry is what happened, and no state of a row. */
const NEWS: ReadonlySet<string> = new Set(["arrival", "collision"]);

/** A row before and after its change. */
function statesOf({ kind, row, before }: AuditRow): Pick<AuditRow, "before"> & { readonly after?: AuditRow["row"] } {
  if (kind === "machine") return MACHINE_STATES(row);
  return { ...(before && !NEWS.has(kind) && { before }), ...(row && { after: row }) };
}

function audited(row: AuditRow): Audited {
  const { before, after } = statesOf(row);
  const { id, position, at, actor, kind, key, trace } = row;
  return {
    id,
    position,
    at,
    actor,
    kind,
    key,
    did: after === undefined ? "deleted" : before === undefined ? "created" : "changed",
    changed: difference(before ?? {}, after ?? {}),
    ...(trace !== undefined && { trace }),
  };
}
