import { type Address, isIPv4 } from "@firstlight/wire";
import type { ClientIdentity } from "../model/identity.ts";
import type { Span } from "./assignable.ts";

/**
 * The `attempt`-th place of this identity in a span: independent of everything but the two, so that every replica looks in
 * the same places. Independent attempts keep the expected number of probes at 1 / (1 - fill), without clusters.
 */
export function place(identity: ClientIdentity, network: Address, span: Span, attempt: number): number | bigint {
  const seed = isIPv4(network) ? network : Number((network >> 64n) & 0xffff_ffffn) ^ Number(network & 0xffff_ffffn);
  const number = numberOf(identity);
  const hash = mix(number, seed, attempt);
  if (typeof span.first === "number") return span.first + (hash % (Number(span.last) - span.first + 1));
  const wide = (BigInt(hash) << 32n) | BigInt(mix(number, ~seed, attempt));
  return span.first + (wide % (BigInt(span.last) - span.first + 1n));
}

/** The same over several spans, as if they were one: the lowest first. */
export function placeAmong(
  identity: ClientIdentity,
  network: Address,
  spans: Span | readonly Span[],
  attempt: number,
): number | bigint {
  if (!isMany(spans)) return place(identity, network, spans, attempt);
  return isIPv4(network) ? placeInV4(identity, network, spans, attempt) : placeInV6(identity, network, spans, attempt);
}

function placeInV4(identity: ClientIdentity, network: Address, spans: readonly Span[], attempt: number): number {
  let size = 0;
  for (const { first, last } of spans) size += Number(last) - Number(first) + 1;
  let left = Number(place(identity, network, { first: 0, last: size - 1 }, attempt));
  for (const { first, last } of spans) {
    const next = left - (Number(last) - Number(first) + 1);
    if (next < 0) return Number(first) + left;
    left = next;
  }
  return Number(spans[0]!.first); // never: a place is within the whole
}

function placeInV6(identity: ClientIdentity, network: Address, spans: readonly Span[], attempt: number): bigint {
  const size = spans.reduce((sum, span) => sum + sizeOf(span), 0n);
  let left = BigInt(place(identity, network, { first: 0n, last: size - 1n }, attempt));
  for (const span of spans) {
    if (left < sizeOf(span)) return BigInt(span.first) + left;
    left -= sizeOf(span);
  }
  return BigInt(spans[0]!.first);
}

/** How many offsets it has. */
export function sizeOf(span: Span): bigint {
  return BigInt(span.last) - BigInt(span.first) + 1n;
}

const isMany = (spans: Span | readonly Span[]): spans is readonly Span[] => Array.isArray(spans);

/** A MAC as it is; of other identities a number of the same 48 bits, made of their text (FNV-1a, two halves). */
function numberOf(identity: ClientIdentity): number {
  if (typeof identity === "number") return identity;
  let [low, high] = [0x811c_9dc5, 0x9e37_79b1];
  for (let n = 0; n < identity.length; n++) {
    low = Math.imul(low ^ identity.charCodeAt(n), 0x0100_0193);
    high = Math.imul(high ^ low, 0x85eb_ca6b);
  }
  return (high >>> 16) * 0x1_0000_0000 + (low >>> 0);
}

/** MurmurHash3 (x86, 32 bit) over identity, network and attempt: spreads well, costs nanoseconds, guards no secret. */
function mix(identity: number, network: number, attempt: number): number {
  let hash = round(0x9747b28c, identity | 0);
  hash = round(hash, Math.floor(identity / 0x1_0000_0000));
  hash = round(hash, network);
  hash = round(hash, attempt);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = hash ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
