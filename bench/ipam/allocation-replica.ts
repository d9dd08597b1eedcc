import type { Lease, PrefixRow, Row, Segment } from "@firstlight/ipam";
import { createReplica, type Source } from "@firstlight/ipam/replica";
import { segment } from "@firstlight/kit";
import { systemClock } from "@firstlight/service";

const NOW = 1_700_000_000_000;
const DAY = 86_400_000;
/** Leases per tenth of `fill` in an IPv6 prefix, which is too large to be filled. */
const LEASES_PER_TENTH = 25_000;

export const SEGMENT: Segment = segment({ name: "bench" });

/** A replica that addresses are allocated from. */
export interface AllocationReplica {
  /** Asks for a candidate address for a new, unknown MAC. Returns whether there was one. */
  allocate(): boolean;
}

/** A replica of one segment with one prefix. The share `fill` (0 to 1) of its addresses is leased, at pseudo-random places. */
export async function allocationReplica(
  prefix: { readonly address: number | bigint; readonly length: number },
  fill: number,
): Promise<AllocationReplica & AsyncDisposable> {
  const row: PrefixRow = {
    kind: "prefix",
    id: 1,
    segment: 1,
    vrf: "default",
    prefix,
    reserved: 4,
    excluded: [],
    version: 1,
  };
  const following = await createReplica(sourceOf([SEGMENT, row], leasesIn(prefix, fill)), {
    ...systemClock,
    now: () => NOW,
  });
  let mac = 0x02aa_0000_0000;
  const requested = typeof prefix.address === "bigint" ? 0n : undefined; // selects the family; it is in no prefix
  return {
    allocate: () => following.replica.candidate(SEGMENT, mac++, requested).is === "candidate",
    [Symbol.asyncDispose]: () => following[Symbol.asyncDispose](),
  };
}

function sourceOf(site: readonly Row[], leases: Iterable<Lease>): Source {
  const at = { epoch: "bench", position: 1 };
  return {
    load: async () => ({
      at,
      dnsPosition: 0,
      databaseNow: NOW,
      rows: (async function* () {
        yield site;
        yield [...leases];
      })(),
    }),
    changes: async () => ({ is: "changes", changes: [], databaseNow: NOW, more: false }),
    wait: (_ms, signal) => new Promise((done) => signal.addEventListener("abort", () => done(), { once: true })),
  };
}

function* leasesIn(
  prefix: { readonly address: number | bigint; readonly length: number },
  fill: number,
): Generator<Lease> {
  const { address: network, length } = prefix;
  const size = typeof network === "number" ? 2 ** (32 - length) : LEASES_PER_TENTH * 10;
  for (let n = 4, id = 1; n < size - 1; n++) {
    if (pseudoRandom(n) >= fill) continue;
    const address =
      typeof network === "number" ? network + n : network + BigInt(Math.floor(pseudoRandom(n + 1) * 2 ** 52));
    yield lease(address, id++);
  }
}

function lease(address: number | bigint, id: number): Lease {
  return {
    kind: "lease",
    vrf: "default",
    address,
    segment: 1,
    interface: id,
    identity: 0x02bb_0000_0000 + id,
    policy: "dynamic",
    state: "bound",
    startsAt: NOW,
    expiresAt: NOW + DAY,
    reusableAt: NOW + 2 * DAY,
    version: 1 + id,
  };
}

/** A pseudo-random number in [0, 1) for `n`; always the same for the same `n`. */
function pseudoRandom(n: number): number {
  let hash = Math.imul(n ^ 0x9e37_79b9, 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
