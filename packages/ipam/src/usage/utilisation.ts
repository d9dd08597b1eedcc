import { plus } from "@firstlight/wire";
import { addressAt, spanOf } from "../allocation/assignable.ts";
import type { AddressRange, PrefixRow, Role } from "../model/model.ts";

/** How full a prefix is at one moment. What is none of `bound`, `kept` and `resting` can be given to anybody. */
export interface Use {
  /** Addresses that the prefix could ever give. */
  readonly assignable: number;
  /** Promised, and the promise runs. */
  readonly bound: number;
  /** No promise runs, but the address stays its holder's: by policy, or because it belongs to a machine. */
  readonly kept: number;
  /** Given back or expired, and not yet to be reused. */
  readonly resting: number;
  /** Somebody had it, anybody may have it now. */
  readonly idle: number;
}

/** One pool of a prefix with how full it is; its addresses count in the prefix too. */
export interface PoolUse extends Use {
  readonly from: string;
  readonly to: string;
  readonly roles: readonly Role[];
}

/** A prefix with how full it is and where that leads. Times are milliseconds of the database's clock. */
export interface Utilisation extends Use {
  readonly segment: string;
  readonly vrf: string;
  readonly prefix: string;
  readonly at: number;
  /** Addresses a day, more or less of them in use, as a straight line through the samples of the window. */
  readonly perDay?: number;
  readonly daysToExhaustion?: number;
  /** Why there is no number of days. */
  readonly because?: string;
  readonly pools?: readonly PoolUse[];
  /** It drains: addresses that still stand in the way of its end, promised or reserved. */
  readonly remainder?: number;
}

/** A straight line through the samples of a window. */
export interface Line {
  readonly perDay: number | null;
  readonly samples: number;
  readonly hours: number;
}

/** Addresses that are taken from whoever asks next. */
export function usedOf({ bound, kept, resting }: Use): number {
  return bound + kept + resting;
}

/** What the prefix could ever give, or this range of it, whatever its length: exact up to 2^53, a /64 in floating point. */
export function assignableIn(row: Assignable, within?: AddressRange): bigint {
  const span = spanOf(row);
  if (!span) return 0n;
  const [low, high] = [addressAt(row, span.first), addressAt(row, span.last)];
  const first = within && within.first > low ? within.first : low;
  const last = within && within.last < high ? within.last : high;
  if (first > last) return 0n;
  return sizeOf({ first, last }) - setAside(row, { first, last });
}

/** A prefix, as far as it says what it could give. */
export type Assignable = Pick<PrefixRow, "prefix" | "reserved" | "gateway" | "excluded" | "reservedRanges">;

const sizeOf = ({ first, last }: AddressRange): bigint => BigInt(last) - BigInt(first) + 1n;

/** Gateway, exclusions and reserved ranges within a range, each address once. */
function setAside({ gateway, excluded, reservedRanges = [] }: Assignable, { first, last }: AddressRange): bigint {
  const ones = [...excluded, ...(gateway === undefined ? [] : [gateway])].filter(
    (address) => typeof address === typeof first,
  );
  const all = [...ones.map((address) => ({ first: address, last: address })), ...reservedRanges];
  let [count, from] = [0n, first];
  for (const range of all.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const [low, high] = [range.first > from ? range.first : from, range.last < last ? range.last : last];
    if (low > high) continue;
    count += sizeOf({ first: low, last: high });
    from = plus(high, 1);
    if (from < high) break; // past the last address there is
  }
  return count;
}

/** A line through less than this tells of noise, not of a trend. */
const LEAST = { samples: 6, hours: 1 } as const;

/** When the prefix is full, if it goes on like this. */
export function forecast(
  use: Use,
  { perDay, samples, hours }: Line,
): Pick<Utilisation, "perDay" | "daysToExhaustion" | "because"> {
  const free = use.assignable - usedOf(use);
  if (free <= 0) return { ...(perDay !== null && { perDay }), daysToExhaustion: 0 };
  if (perDay === null || samples < LEAST.samples || hours < LEAST.hours) {
    return { because: `too few samples yet: ${samples} in ${hours.toFixed(1)} h` };
  }
  if (perDay <= 0) return { perDay, because: "it does not grow" };
  return { perDay, daysToExhaustion: free / perDay };
}
