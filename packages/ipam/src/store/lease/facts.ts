import assert from "node:assert/strict";
import { type Address, isIPv4, parseAddress } from "@firstlight/wire";
import type pg from "pg";
import { isAssignable } from "../../allocation/assignable.ts";
import { isInPool } from "../../allocation/parcel.ts";
import { isDraining } from "../../policy/drain.ts";
import type { ClientIdentity } from "../../model/identity.ts";
import type { LeaseRequest } from "../../model/lease.ts";
import type { AddressPolicy, Role } from "../../model/model.ts";
import { otherInterfacesOf } from "../device/arrive.ts";
import type { Fact, Other } from "./judge.ts";
import type { CachedSegment, SegmentCache } from "./segment-cache.ts";
import { unquotedArray, identityColumnOf, type Json, toIdentity, toAddress } from "../../database/rows.ts";
import { FACTS, LOCK_INTERFACES } from "./statements.ts";
import { inOrder } from "../transaction.ts";

/** A row of FACTS for one request. */
interface Found {
  readonly n: number;
  readonly id: number | null;
  readonly role: Role;
  readonly machine: string | null;
  readonly label: string | null;
  readonly identified_by: string;
  readonly interface_state: string | null;
  readonly version: number;
  readonly expected_machine: string | null;
  readonly expected_serial: string | null;
  readonly expected_role: Role;
  readonly expected_label: string;
  readonly declared: boolean;
  readonly claimed: boolean;
  readonly reserved: string | null;
  readonly reserved_here: boolean;
  readonly reserved_origin: Fact["reserved_origin"];
  readonly own: boolean;
  readonly holder: number | null;
  readonly state: Fact["state"];
  readonly expired: boolean;
  readonly rested: boolean;
  readonly holder_policy: AddressPolicy;
  readonly referenced: boolean;
  /** Other addresses of the interface: policy, whether bound, whether declared for another device, reserved for whom. */
  readonly others: readonly (readonly [string, AddressPolicy, boolean, boolean, string | null])[] | null;
  readonly elsewhere: boolean;
}

/** Locks the interfaces of the batch and reads the facts of each request. */
export async function look(
  client: pg.ClientBase,
  batch: readonly LeaseRequest[],
  segments: SegmentCache,
): Promise<Fact[]> {
  const sorted = batch.toSorted((a, b) => a.segment - b.segment || order(a.identity, b.identity));
  const isTwice = sorted.some(
    ({ segment, identity }, n) => sorted[n + 1]?.segment === segment && sorted[n + 1]?.identity === identity,
  );
  const column = identityColumnOf(batch[0]!.identity);
  assert(!isTwice, "one request per interface and batch");
  const values = [
    ...identities(batch),
    unquotedArray(batch.map(({ address }) => toAddress(address))),
    unquotedArray(batch.map((request) => (request.do === "bind" ? (request.iaid ?? null) : null))),
  ];
  const [locked, { rows }] = await inOrder(
    client,
    () =>
      client.query<{ edition: string }>({
        name: `lock ${column}`,
        text: LOCK_INTERFACES[column],
        values: identities(sorted),
      }),
    () => client.query<Found>({ name: `facts ${column}`, text: FACTS[column], values }),
  );
  const at = await segments.of(
    client,
    locked.rows[0]!.edition,
    batch.map(({ segment }) => segment),
  );
  const found = new Map(rows.map((row) => [row.n, row]));
  const facts = batch.map((request, n) => factOf(request, at.get(request.segment), found.get(n + 1) ?? NOTHING));
  return withHomes(client, batch, facts);
}

/** Segments and identities; a text needs the driver's quotes. */
function identities(batch: readonly LeaseRequest[]): unknown[] {
  const clients = batch.map(({ identity }) => toIdentity(identity));
  return [
    unquotedArray(batch.map(({ segment }) => segment)),
    typeof batch[0]!.identity === "number" ? unquotedArray(clients) : clients,
  ];
}

function order(a: ClientIdentity, b: ClientIdentity): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Adds the other interfaces of devices that have some; few do, so they are read separately. */
async function withHomes(
  client: pg.ClientBase,
  batch: readonly LeaseRequest[],
  facts: readonly Fact[],
): Promise<Fact[]> {
  const movers = [...facts.keys()].filter((n) => facts[n]!.elsewhere && batch[n]!.do === "bind");
  if (movers.length === 0) return [...facts];
  const otherInterfaces = await otherInterfacesOf(
    client,
    movers.map((n) => ({ segment: batch[n]!.segment, identity: batch[n]!.identity })),
  );
  const found = new Map(movers.map((n, i) => [n, otherInterfaces[i]!]));
  return facts.map((fact, n) => (found.has(n) ? { ...fact, otherInterfaces: found.get(n)! } : fact));
}

function factOf({ segment, identity, address }: LeaseRequest, cached: CachedSegment | undefined, found: Found): Fact {
  const { id, role, machine, label, identified_by, interface_state, version } = found;
  const own = {
    id: id!,
    segment,
    [identityColumnOf(identity)]: toIdentity(identity),
    role,
    machine,
    label,
    identified_by,
    state: interface_state,
    version,
  };
  return {
    ...siteOf(cached),
    ...standingOf(cached, found, address),
    interface: id === null ? null : own,
    expected: expectedOf(found),
    declared: found.declared,
    claimed: found.claimed,
    reserved: found.reserved,
    reserved_here: found.reserved_here,
    reserved_origin: found.reserved_origin,
    own: found.own,
    holder: found.holder,
    state: found.state,
    expired: found.expired,
    rested: found.rested,
    holder_policy: found.holder_policy,
    referenced: found.referenced,
    others: othersOf(cached, found),
    elsewhere: found.elsewhere,
  };
}

type Site = Pick<Fact, "vrf" | "domain" | "admission" | "allocation" | "policy" | "naming" | "grace_seconds">;

function siteOf(cached: CachedSegment | undefined): Site {
  if (!cached) return { ...NOWHERE, vrf: null };
  const { vrf, domain, admission, allocation, policy, naming, graceSeconds } = cached.segment;
  return { vrf, domain, admission, allocation, policy, naming, grace_seconds: graceSeconds };
}

const NOWHERE = {
  domain: 0,
  admission: "expected",
  allocation: "reserved",
  policy: "fixed",
  naming: "declared",
  grace_seconds: 0,
} as const;

function expectedOf({ expected_machine, expected_serial, expected_role, expected_label }: Found): Json | null {
  if (expected_machine === null) return null;
  return { machine: expected_machine, serial: expected_serial, role: expected_role, label: expected_label };
}

/** Whether the prefixes of the segment may give the address to this client. */
function standingOf(
  cached: CachedSegment | undefined,
  { role, expected_role }: Pick<Found, "role" | "expected_role">,
  address: Address,
): Pick<Fact, "assignable" | "draining" | "is_in_pool"> {
  const home = cached?.prefixes.find((row) => isAssignable(row, address));
  if (!cached || !home) return { assignable: false, draining: false, is_in_pool: false };
  const open = cached.prefixes.filter(
    (row) => isIPv4(row.prefix.address) === isIPv4(address) && !isDraining(cached.segment, row),
  );
  return {
    assignable: true,
    draining: isDraining(cached.segment, home),
    is_in_pool: isInPool(open, home, expected_role ?? role ?? "other", address),
  };
}

function othersOf(cached: CachedSegment | undefined, { others, role, expected_role }: Found): readonly Other[] {
  if (others === null) return NONE;
  return others.map(([address, policy, isBound, isClaimed, reserved]) => {
    const at = standingOf(cached, { role, expected_role }, parseAddress(address) as Address);
    return { policy, isBound, isUsable: !isClaimed && at.assignable && !at.draining && at.is_in_pool, reserved };
  });
}

const NONE: readonly Other[] = [];

const NOTHING = {
  id: null,
  expected_machine: null,
  declared: false,
  claimed: false,
  reserved: null,
  reserved_here: false,
  reserved_origin: null,
  own: false,
  holder: null,
  state: null,
  expired: false,
  rested: true,
  referenced: false,
  others: null,
  elsewhere: false,
} as unknown as Found;
