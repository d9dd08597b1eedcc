import type { Relocation } from "../fields/lists.ts";

/** The event of a device that got an address on a segment where it had none before. */
export interface RelocationEvent {
  readonly is: Relocation;
  /** The MAC as text, or another identity in the form of `identity.ts`. */
  readonly mac: string;
  readonly segment: string;
  readonly address: string;
  /** The segment that it left or on which it was predicted. */
  readonly from?: string;
  /** Its address there. */
  readonly was?: string;
  readonly machine?: string;
}
