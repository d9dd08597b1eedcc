import type { Relocation } from "../fields/lists.ts";

/** The event of a device that got an address on a segment where it had none before. */
export interface RelocationEvent {
  readonly is: Relocation;
  /** The MAC as text, or another identity as `identity.ts` writes it. */
  readonly mac: string;
  readonly segment: string;
  readonly address: string;
  /** The segment it came from, or was predicted on. */
  readonly from?: string;
  /** What it had there. */
  readonly was?: string;
  readonly machine?: string;
}
