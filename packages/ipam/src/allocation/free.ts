import type { Address } from "@firstlight/wire";
import type { Ask, Ground } from "./request.ts";
import type { Lease } from "../model/model.ts";
import { freeFrom } from "../policy/counted-on.ts";
import { addressAt, isSetAside, offsetOf } from "./assignable.ts";
import { isDeclared } from "./claim.ts";
import type { Parcel } from "./parcel.ts";
import { placeAmong } from "./placement.ts";
import { isOnOffer } from "./standing.ts";
import { WINDOW } from "./vacancy.ts";

/** Hash places tried before the search: at nine tenths full, five asks of six end here. */
const PROBES = 16;

/** When another interface may have this address: 0 when nobody ever had it, never while it is declared or referenced. */
export function freeAt(ground: Ground, vrf: string, address: Address): number {
  if (isDeclared(ground, address, vrf)) return Infinity;
  const lease = ground.lease(address, vrf);
  if (!lease) return 0;
  const isReferenced = ground.interfaceById(lease.interface)?.machine !== undefined;
  return freeFrom(lease.policy, isReferenced, lease.reusableAt);
}

/**
 * A free address of these parcels of one prefix. Somebody's former address is taken only under pressure: when no hash place
 * is left that nobody ever had. Then the one that has been idle for longest of them, for who held it may come back.
 */
export function freeIn(ground: Ground, ask: Ask, parcels: readonly Parcel[]): Address | undefined {
  const [head] = parcels;
  if (!head) return undefined;
  const first = (until: number): Address | undefined =>
    firstOf(parcels, (parcel) => nextFree(ground, ask, parcel, 0, until));
  if (ask.segment.allocation === "sequential") return first(0) ?? first(ask.now);
  const { row } = head;
  const spans = parcels.length === 1 ? head.span : parcels.map(({ span }) => span);
  let idle: Lease | undefined;
  for (let attempt = 0; attempt < PROBES; attempt++) {
    const address = addressAt(row, placeAmong(ask.identity, row.prefix.address, spans, attempt));
    if (isSetAside(row, address) || !isOnOffer(ground, ask, address)) continue;
    const former = ground.lease(address, ask.segment.vrf);
    if (!former) return address;
    if (!idle || former.reusableAt < idle.reusableAt) idle = former;
  }
  if (idle) return idle.address;
  const from = placeAmong(ask.identity, row.prefix.address, spans, 0);
  const at = parcels.findIndex(({ span }) => from >= span.first && from <= span.last);
  const start = Number(BigInt(from) - BigInt(parcels[at]!.span.first)) % WINDOW;
  const next = (parcel: Parcel, n: number): Address | undefined =>
    nextFree(ground, ask, parcel, n === 0 ? start : 0, ask.now);
  return firstOf([...parcels.slice(at), ...parcels.slice(0, at)], next);
}

function firstOf(
  parcels: readonly Parcel[],
  find: (parcel: Parcel, n: number) => Address | undefined,
): Address | undefined {
  for (const [n, parcel] of parcels.entries()) {
    const address = find(parcel, n);
    if (address !== undefined) return address;
  }
  return undefined;
}

/** The first address of a parcel, from the `start`-th on, that is free by `until` and not on offer to another. */
function nextFree(ground: Ground, ask: Ask, parcel: Parcel, start: number, until: number): Address | undefined {
  const { row, span } = parcel;
  const base = addressAt(row, span.first);
  const at = (index: number): Address => (typeof base === "number" ? base + index : base + BigInt(index));
  const when = (index: number): number => {
    const address = at(index);
    return isSetAside(row, address) ? Infinity : freeAt(ground, ask.segment.vrf, address);
  };
  const index = ground.vacancy(parcel).find(start, until, when, (index) => ask.held?.(at(index)) !== true);
  return index === undefined ? undefined : at(index);
}

/** Where in its parcel's window an address lies: what a vacancy is told when a row changes. */
export function windowIndex({ row, span }: Parcel, address: Address): number | undefined {
  const index = BigInt(offsetOf(row, address)) - BigInt(span.first);
  return index >= 0n && index < BigInt(WINDOW) ? Number(index) : undefined;
}
