import { ADDRESS_REASONS } from "../../policy/reasons.ts";
import { type Address, formatAddress, parseAddress, parseMac, assertParsed } from "@firstlight/wire";
import type pg from "pg";
import type { Bind } from "../../model/lease.ts";
import { Refused } from "../../store/store.ts";
import { commitBatch } from "../../store/lease/commit.ts";
import type { FoundLease } from "./found.ts";

/** Leases to take over, and which of them: a site is cut over relay by relay. */
export interface LeaseImport {
  readonly leases: readonly FoundLease[];
  readonly vrf: string;
  /** Only of this segment; "" for any. */
  readonly segment: string;
  /** Only of the segment in which this relay is. It is then what the leases are said to have come through. */
  readonly relay?: Address;
  readonly isDryRun: boolean;
}

/** What became of one of them. */
export interface LeaseOutcome {
  readonly address: string;
  readonly mac: string;
  /** `kept`: promised at least as long already; `passed`: left out by the filter or by time. */
  readonly is: "bound" | "kept" | "passed" | "refused";
  readonly because: string;
}

/** What the database knows of one of them. */
interface Fact {
  readonly segment: number | null;
  readonly name: string | null;
  readonly holder: string | null;
  readonly holderUntil: number | null;
  readonly other: string | null;
  /** Where a device that comes here leaves the home it has: what such segments have in common. */
  readonly moves: string | null;
  /** `10.0.0.5 in segment bmc`, which it would leave. */
  readonly home: string | null;
}

/** As `arrive.ts` has it. */
const REHOME = (segment: string): string =>
  `coalesce(${segment}.rehome, CASE WHEN ${segment}.is IN ('underlay', 'admin') THEN 'move' ELSE 'keep' END)`;

const FACTS = `
  SELECT p.segment, p.name, l.mac::text AS holder, (extract(epoch FROM l.expires_at) * 1000)::float8 AS "holderUntil", o.address AS other,
    p.moves, a.home
  FROM unnest($1::inet[], $2::macaddr[]) WITH ORDINALITY k (address, mac, n)
  LEFT JOIN LATERAL (
    SELECT s.id AS segment, s.name, s.is, CASE WHEN ${REHOME("s")} = 'move' THEN s.is END AS moves FROM ipam.prefix t JOIN ipam.segment s ON s.id = t.segment
    WHERE t.vrf = $3 AND t.prefix::inet >>= k.address LIMIT 1
  ) p ON true
  LEFT JOIN LATERAL (
    SELECT mac, expires_at FROM ipam.lease WHERE vrf = $3 AND address = k.address AND state = 'bound' AND expires_at > now() OFFSET 0
  ) l ON true
  LEFT JOIN LATERAL (
    SELECT host(h.address) AS address FROM ipam.interface i JOIN ipam.lease h ON h.interface = i.id
    WHERE i.segment = p.segment AND i.mac = k.mac AND h.state = 'bound' AND h.expires_at > now()
      AND family(h.address) = family(k.address) AND h.address <> k.address LIMIT 1
  ) o ON true
  LEFT JOIN LATERAL (
    SELECT host(h.address) || ' in segment ' || s.name AS home FROM ipam.interface i JOIN ipam.segment s ON s.id = i.segment
      JOIN ipam.lease h ON h.interface = i.id
    WHERE i.mac = k.mac AND i.segment <> p.segment AND s.vrf = $3 AND s.is = p.is AND ${REHOME("s")} = 'move'
      AND h.state = 'bound' AND h.expires_at > now() LIMIT 1
  ) a ON true
  ORDER BY k.n`;

const MOST_SECONDS = 2_147_483_647;

/**
 * Binds what may be bound, with the end that was promised, in a transaction that its caller opened. Everything that
 * holds for a lease holds here; beyond it, an import takes nothing from anybody, not even for a port, and moves nobody.
 */
export async function admitLeases(client: pg.ClientBase, asked: LeaseImport, actor: string): Promise<LeaseOutcome[]> {
  const { leases, vrf, relay } = asked;
  const relaySegment = relay === undefined ? undefined : await segmentOf(client, vrf, relay);
  const { rows: facts } = await client.query<Fact>(FACTS, [
    leases.map(({ address }) => address),
    leases.map(({ mac }) => mac),
    vrf,
  ]);
  const { rows: clock } = await client.query<{ now: number }>(
    "SELECT (extract(epoch FROM now()) * 1000)::float8 AS now",
  );
  const taken = new Set<string>();
  const homes = new Map<string, string>();
  const binds = new Map<FoundLease, Bind>();
  const outcomes = leases.map((lease, n): LeaseOutcome | undefined => {
    const fact = facts[n]!;
    const said = judge(lease, fact, { segment: asked.segment, relaySegment, now: clock[0]!.now });
    const holder = `${fact.segment} ${lease.mac} IPv${lease.address.includes(":") ? 6 : 4}`;
    const isTwice = taken.has(holder) || taken.has(lease.address);
    if (said) return outcome(lease, ...said);
    if (isTwice) return outcome(lease, "refused", "the client has a newer lease here");
    const home = fact.moves === null ? undefined : `${fact.moves} ${lease.mac}`;
    const elsewhere = home === undefined ? undefined : homes.get(home);
    if (elsewhere !== undefined && elsewhere !== fact.name)
      return outcome(lease, "refused", `the client has a newer lease in segment ${elsewhere}`);
    if (home !== undefined) homes.set(home, fact.name!);
    taken.add(holder).add(lease.address);
    binds.set(lease, bindOf(lease, fact.segment!, clock[0]!.now, relay));
    return undefined;
  });
  const committed = await commitBatch(client, [...binds.values()], actor);
  const done = new Map([...binds.keys()].map((lease, n) => [lease, committed[n]!]));
  return leases.map((lease, n) => {
    const result = done.get(lease);
    if (!result) return outcomes[n]!;
    return result.is === "refused"
      ? outcome(lease, "refused", ADDRESS_REASONS[result.because].sentence)
      : outcome(lease, "bound", "");
  });
}

const outcome = ({ address, mac }: FoundLease, is: LeaseOutcome["is"], because: string): LeaseOutcome => ({
  address,
  mac,
  is,
  because,
});

/** Why one is not for the store to bind; undefined when it is. */
function judge(
  { mac, expiresAt }: FoundLease,
  { segment, name, holder, holderUntil, other, home }: Fact,
  only: { readonly segment: string; readonly relaySegment: number | undefined; readonly now: number },
): [LeaseOutcome["is"], string] | undefined {
  if (only.segment !== "" && name !== only.segment) return ["passed", `not in segment ${only.segment}`];
  if (only.relaySegment !== undefined && segment !== only.relaySegment) return ["passed", "not behind this relay"];
  if (segment === null) return ["refused", "no prefix holds the address"];
  if (expiresAt <= only.now) return ["passed", "expired"];
  if (holder !== null && holder !== mac) return ["refused", `address is bound to ${holder}`];
  if (holder !== null && holderUntil! >= expiresAt - 1_000) return ["kept", "promised at least as long already"];
  if (other !== null) return ["refused", `the client has ${other} here`];
  return home === null ? undefined : ["refused", `the client has ${home}`];
}

function bindOf(lease: FoundLease, segment: number, now: number, giaddr: Address | undefined): Bind {
  const { clientId, circuitId, remoteId } = lease;
  return {
    do: "bind",
    segment,
    identity: assertParsed(parseMac(lease.mac), lease.mac),
    address: assertParsed(parseAddress(lease.address), lease.address),
    // Rounded up: never shorter than what was promised.
    leaseSeconds: Math.min(Math.ceil((lease.expiresAt - now) / 1000), MOST_SECONDS),
    ...(clientId && { clientId }),
    ...(giaddr !== undefined && {
      relay: { giaddr, ...(circuitId && { circuitId }), ...(remoteId && { remoteId }) },
    }),
  };
}

async function segmentOf(client: pg.ClientBase, vrf: string, relay: Address): Promise<number> {
  const { rows } = await client.query<{ segment: number }>(
    "SELECT segment FROM ipam.prefix WHERE vrf = $1 AND prefix::inet >>= $2::inet",
    [vrf, formatAddress(relay)],
  );
  if (!rows[0]) throw new Refused("relay-outside-prefixes", { vrf, relay: formatAddress(relay) });
  return rows[0].segment;
}
