import type { Address } from "@firstlight/wire";
import { offsetOf, spanOf } from "./allocation/assignable.ts";
import type { PrefixRow } from "./model.ts";

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

/** What the prefix could ever give, whatever its length: exact up to 2^53, a /64 in floating point. */
export function assignableIn(row: PrefixRow): bigint {
  const span = spanOf(row);
  if (!span) return 0n;
  const asides = new Set<Address>(row.gateway === undefined ? row.excluded : [row.gateway, ...row.excluded]);
  const inSpan = [...asides].filter((address) => {
    if (typeof address !== typeof row.prefix.address) return false;
    const offset = offsetOf(row, address);
    return offset >= span.first && offset <= span.last;
  });
  return BigInt(span.last) - BigInt(span.first) + 1n - BigInt(inSpan.length);
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
