import { type Address } from "@firstlight/wire";
import type { PrefixRow, Role, RolePool } from "../model/model.ts";
import { offsetOf, type Span, spanOf } from "./assignable.ts";

/**
 * A stretch of a prefix that goes to the same roles: one of its pools, or what lies between them. A prefix without pools is
 * one parcel. What is free is kept by parcel, so that a search in a pool costs what it costs in a prefix of that size.
 */
export interface Parcel {
  readonly row: PrefixRow;
  /** Its place among the prefix's parcels, lowest addresses first. */
  readonly nth: number;
  readonly span: Span;
  /** Absent: nobody's pool. */
  readonly pool?: RolePool;
}

/** By the prefix's row: a changed row is another one. */
const known = new WeakMap<PrefixRow, readonly Parcel[]>();

/** The parcels of what a prefix may give, lowest first. */
export function parcelsOf(row: PrefixRow): readonly Parcel[] {
  let parcels = known.get(row);
  if (!parcels) known.set(row, (parcels = cut(row)));
  return parcels;
}

/** Those of a prefix that an interface of this role may have addresses of. `prefixes` are all that may give it one. */
export function parcelsIn(prefixes: readonly PrefixRow[], row: PrefixRow, role: Role): readonly Parcel[] {
  const isPooled = hasPoolOf(prefixes, role);
  if (!row.pools && !isPooled) return parcelsOf(row);
  return parcelsOf(row).filter(({ pool }) => (isPooled ? pool?.roles.includes(role) === true : pool === undefined));
}

/**
 * Whether an interface of this role may have this address of `row`: in a pool of its role; or, where none of these prefixes
 * has one for it, in nobody's. `ipam.suits` says the same in the database.
 */
export function isInPool(prefixes: readonly PrefixRow[], row: PrefixRow, role: Role, address: Address): boolean {
  const pool = row.pools?.find(({ first, last }) => address >= first && address <= last);
  return pool ? pool.roles.includes(role) : !hasPoolOf(prefixes, role);
}

/** The pools of a role. */
export function poolsOf(prefixes: readonly PrefixRow[], role: Role): readonly RolePool[] {
  return prefixes.flatMap(({ pools = [] }) => pools.filter(({ roles }) => roles.includes(role)));
}

export function parcelAt(row: PrefixRow, address: Address): Parcel | undefined {
  const offset = offsetOf(row, address);
  return parcelsOf(row).find(({ span }) => offset >= span.first && offset <= span.last);
}

function hasPoolOf(prefixes: readonly PrefixRow[], role: Role): boolean {
  return prefixes.some(({ pools }) => pools?.some(({ roles }) => roles.includes(role)) === true);
}

function cut(row: PrefixRow): Parcel[] {
  const whole = spanOf(row);
  if (!whole) return [];
  const spans: { readonly span: Span; readonly pool?: RolePool }[] = [];
  const add = (first: bigint, last: bigint, pool?: RolePool): void => {
    if (first <= last) spans.push({ span: spanLike(whole, first, last), ...(pool && { pool }) });
  };
  let from = BigInt(whole.first);
  for (const pool of (row.pools ?? []).toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const [first, last] = [BigInt(offsetOf(row, pool.first)), BigInt(offsetOf(row, pool.last))];
    add(from, first - 1n < BigInt(whole.last) ? first - 1n : BigInt(whole.last));
    add(first > from ? first : from, last < BigInt(whole.last) ? last : BigInt(whole.last), pool);
    if (last + 1n > from) from = last + 1n;
  }
  add(from, BigInt(whole.last));
  return spans.map((one, nth) => ({ row, nth, ...one }));
}

function spanLike(whole: Span, first: bigint, last: bigint): Span {
  return typeof whole.first === "number" ? { first: Number(first), last: Number(last) } : { first, last };
}
