import type { Lease, PrefixRow, Row, Segment } from "@firstlight/ipam";
import { createReplica, type Source } from "@firstlight/ipam/replica";
import { segment } from "@firstlight/kit";
import { systemClock } from "@firstlight/service";

const NOW = 1_700_000_000_000;
const DAY = 86_400_000;
/** A prefix that never fills: so many of its addresses are held for each tenth of "fill". */
const HELD_OF_WIDE = 25_000;

export const SEGMENT: Segment = segment({ name: "bench" });

export interface AllocationGround {
  /** Asks for an address for the next stranger. Whether there was one. */
  ask(): boolean;
}

/** A replica of one segment with one prefix, a share of it held, at random places. */
export async function allocationGround(
  prefix: { readonly address: number | bigint; readonly length: number },
  fill: number,
): Promise<AllocationGround & AsyncDisposable> {
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
  const following = await createReplica(sourceOf([SEGMENT, row], held(prefix, fill)), {
    ...systemClock,
    now: () => NOW,
  });
  let mac = 0x02aa_0000_0000;
  const wanted = typeof prefix.address === "bigint" ? 0n : undefined; // tells the family, is in no prefix
  return {
    ask: () => following.replica.candidate(SEGMENT, mac++, wanted).is === "candidate",
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

function* held(prefix: { readonly address: number | bigint; readonly length: number }, fill: number): Generator<Lease> {
  const { address: network, length } = prefix;
  const size = typeof network === "number" ? 2 ** (32 - length) : HELD_OF_WIDE * 10;
  for (let n = 4, id = 1; n < size - 1; n++) {
    if (scattered(n) >= fill) continue;
    const address =
      typeof network === "number" ? network + n : network + BigInt(Math.floor(scattered(n + 1) * 2 ** 52));
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

/** A number's own place between 0 and 1: always the same, without order. */
function scattered(n: number): number {
  let hash = Math.imul(n ^ 0x9e37_79b9, 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
