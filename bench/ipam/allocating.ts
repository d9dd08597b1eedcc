import type { Sample } from "../harness/contract.ts";
import { allocationGround } from "./ground.ts";

/** From a /24 to a /12, and a /64. */
export const PREFIXES = [
  { address: 0x0a00_0000, length: 24 },
  { address: 0x0a00_0000, length: 20 },
  { address: 0x0a00_0000, length: 16 },
  { address: 0x0a00_0000, length: 12 },
  { address: 0xfd00n << 112n, length: 64 },
] as const;

const FILLS = [0, 50, 90] as const;
const MOST_MS = 400;

/** Asks for an address for machines nobody knows, at each fill. Nothing is bound: the fill stays. `nsN` is the cost at N % full. */
export async function allocating(prefix: (typeof PREFIXES)[number]): Promise<Sample> {
  const extra: Record<string, number> = {};
  let [operations, seconds, failed] = [0, 0, 0];
  for (const fill of FILLS) {
    await using ground = await allocationGround(prefix, fill / 100);
    for (let n = 0; n < 20_000; n++) ground.ask(); // what runs below is compiled
    const began = performance.now();
    let asked = 0;
    while (performance.now() - began < MOST_MS) {
      for (let n = 0; n < 100; n++, asked++) if (!ground.ask()) failed++;
    }
    const took = performance.now() - began;
    extra[`ns${fill}`] = Math.round((took * 1e6) / asked);
    operations += asked;
    seconds += took / 1000;
  }
  return { operations, seconds, failed, extra };
}
