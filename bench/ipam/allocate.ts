import type { Sample } from "../harness/contract.ts";
import { allocationReplica } from "./allocation-replica.ts";

/** Prefixes from /24 to /12, and an IPv6 /64. */
export const PREFIXES = [
  { address: 0x0a00_0000, length: 24 },
  { address: 0x0a00_0000, length: 20 },
  { address: 0x0a00_0000, length: 16 },
  { address: 0x0a00_0000, length: 12 },
  { address: 0xfd00n << 112n, length: 64 },
] as const;

/** Percent of the prefix's addresses that are leased. */
const FILLS = [0, 50, 90] as const;
const MEASURE_MS = 400;

/** Allocates addresses for unknown machines at each fill. Nothing is bound, so the fill stays the same. `nsN` is the cost in ns at N % full. */
export async function measureAllocation(prefix: (typeof PREFIXES)[number]): Promise<Sample> {
  const extra: Record<string, number> = {};
  let [operations, seconds, failed] = [0, 0, 0];
  for (const fill of FILLS) {
    await using replica = await allocationReplica(prefix, fill / 100);
    for (let n = 0; n < 20_000; n++) replica.allocate(); // warm-up, until the code is compiled
    const began = performance.now();
    let allocations = 0;
    while (performance.now() - began < MEASURE_MS) {
      for (let n = 0; n < 100; n++, allocations++) if (!replica.allocate()) failed++;
    }
    const tookMs = performance.now() - began;
    extra[`ns${fill}`] = Math.round((tookMs * 1e6) / allocations);
    operations += allocations;
    seconds += tookMs / 1000;
  }
  return { operations, seconds, failed, extra };
}
