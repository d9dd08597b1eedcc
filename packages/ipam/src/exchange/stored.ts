import type pg from "pg";
import { listPools } from "../store/pools.ts";
import { textOf } from "./column.ts";
import { keyOfCells, type SheetKind } from "./kinds.ts";
import type { Cells } from "./sheet.ts";

type Stored = Readonly<Record<string, unknown>>;

/** A number of a segment, or which pool gave it. */
function pooled(column: string): string {
  const own = column === "loopback" ? "host(s.loopback)" : `s.${column}::text`;
  return `coalesce('pool:' || (s.from_pools ->> '${column}'), ${own}) AS ${column}`;
}

/** What each kind's columns are in the database, in the order of the keys. */
const SELECT: Readonly<Record<Exclude<SheetKind, "pools">, string>> = {
  domains: `SELECT name, name_servers AS "nameServers", ttl_seconds AS "ttlSeconds", negative_ttl_seconds AS "negativeTtlSeconds"
    FROM ipam.domain ORDER BY name`,
  segments: `SELECT s.name, s.is AS kind, d.name AS domain, s.vrf, s.mtu, ${["vlan", "vni", "asn", "loopback"].map(pooled).join(", ")}, s.lease_seconds AS "leaseSeconds",
      s.grace_seconds AS "graceSeconds", s.admission, s.allocation, s.policy, s.rehome, s.naming, s.boots, s.state, s.drain_seconds AS "drainSeconds", s.options
    FROM ipam.segment s JOIN ipam.domain d ON d.id = s.domain ORDER BY s.name`,
  prefixes: `SELECT s.name AS segment, p.prefix::text AS prefix, host(p.gateway) AS gateway, p.reserved,
      (SELECT coalesce(array_agg(host(e) ORDER BY n), '{}') FROM unnest(p.excluded) WITH ORDINALITY x (e, n)) AS excluded,
      (SELECT coalesce(array_agg((r ->> 0) || '-' || (r ->> 1) ORDER BY n), '{}')
        FROM jsonb_array_elements(p.reserved_ranges) WITH ORDINALITY x (r, n)) AS "reservedRanges",
      (SELECT coalesce(array_agg((e ->> 'first') || '-' || (e ->> 'last') || '='
          || (SELECT string_agg(role, '+' ORDER BY m) FROM jsonb_array_elements_text(e -> 'roles') WITH ORDINALITY y (role, m)) ORDER BY n), '{}')
        FROM jsonb_array_elements(p.pools) WITH ORDINALITY x (e, n)) AS pools, p.state
    FROM ipam.prefix p JOIN ipam.segment s ON s.id = p.segment ORDER BY s.name, p.prefix`,
  reservations: `SELECT s.name AS segment, host(r.address) AS address, r.identity
    FROM ipam.reservation r JOIN ipam.segment s ON s.id = r.segment WHERE r.origin = 'declared' ORDER BY s.name, r.address`,
  expected: `SELECT e.mac::text, e.machine, e.role, e.serial, e.label, host(e.address) AS address, s.name AS segment
    FROM ipam.expected_device e LEFT JOIN ipam.segment s ON s.id = e.segment ORDER BY e.machine, e.mac`,
  names: `SELECT n.owner, n.type, n.data, n.ttl_seconds AS "ttlSeconds", d.name AS domain
    FROM ipam.name n JOIN ipam.domain d ON d.id = n.domain ORDER BY n.owner, n.type, n.data`,
};

const CELLS: Readonly<Record<SheetKind, (row: Stored) => Cells>> = {
  domains: texts,
  pools: ({ name, is, length, ranges, excluded }) => texts({ name, kind: is, length, ranges, excluded }),
  segments: ({ options, ...row }) => ({ ...texts(row), ...optionCells(options as Stored) }),
  prefixes: texts,
  reservations: ({ identity, ...row }) => ({ ...texts(row), ...identityCells(identity as string) }),
  expected: texts,
  names: texts,
};

/** All rows of a kind, as a sheet has them. */
export async function stored(client: pg.ClientBase | pg.Pool, kind: SheetKind): Promise<Cells[]> {
  const rows = kind === "pools" ? await listPools(client) : (await client.query<Stored>(SELECT[kind])).rows;
  return (rows as readonly Stored[]).map(CELLS[kind]);
}

export function byKey(kind: SheetKind, rows: readonly Cells[]): Map<string, Cells> {
  return new Map(rows.map((cells) => [keyOfCells(kind, cells), cells]));
}

function texts(row: Stored): Cells {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOf(value)!]));
}

function optionCells(options: Stored): Cells {
  const routes = options["staticRoutes"] as readonly { readonly to: string; readonly via: string }[] | undefined;
  return texts({
    routers: options["routers"],
    domainNameServers: options["domainNameServers"],
    ntpServers: options["ntpServers"],
    domainSearch: options["domainSearch"],
    staticRoutes: routes?.map(({ to, via }) => `${to}=${via}`),
  });
}

/** An identity as `identity.ts` writes it, in the words of the site's file. */
function identityCells(identity: string): Cells {
  const [kind, value = ""] = identity.split(" ");
  const none = { mac: "", uuid: "", clientId: "", relay: "", circuitId: "", remoteId: "" };
  if (kind === "mac") return { ...none, mac: value };
  if (kind === "uuid") return { ...none, uuid: value.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") };
  if (kind === "client-id") return { ...none, clientId: `0x${value}` };
  const [relay = "", circuitId = "", remoteId] = value.split("/");
  return { ...none, relay, circuitId: `0x${circuitId}`, remoteId: remoteId === undefined ? "" : `0x${remoteId}` };
}
