import { LruMap } from "@firstlight/service";
import type { Mac } from "@firstlight/wire";
import type { Stage } from "./stage.ts";

const KEEP_MS = 600_000;
const ORDER: Readonly<Record<Stage, number>> = { rom: 0, ipxe: 1, os: 2 };

/**
 * One W3C trace id per boot and client: created at its first packet and shared by its stages. A client that goes back to an earlier
 * stage was reset and gets a new one. Bounded; an entry is dropped ten minutes after its last packet.
 */
export class Traces {
  readonly #of: LruMap<Mac, { readonly trace: string; readonly stage: Stage; readonly until: number }>;
  readonly #make: () => string;

  /** `make` gives 32 lower-case hex digits, not all zero. */
  constructor(make: () => string, most: number) {
    this.#make = make;
    this.#of = new LruMap(most);
  }

  /** The trace of the current boot, if there is one: a renewal belongs to it or to none. */
  known(mac: Mac, now: number): string | undefined {
    const known = this.#of.get(mac);
    return known && known.until > now ? known.trace : undefined;
  }

  /** The trace of the boot that this stage belongs to; a new one if there is none. */
  of(mac: Mac, stage: Stage, now: number): string {
    const known = this.#of.get(mac);
    const goesOn = known !== undefined && known.until > now && ORDER[stage] >= ORDER[known.stage];
    const trace = goesOn ? known.trace : this.#make();
    this.#of.set(mac, { trace, stage, until: now + KEEP_MS });
    return trace;
  }
}
