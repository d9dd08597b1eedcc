/** What becomes of the places where a device lived before it turned up on another segment. Pure. */
import type { ClientIdentity } from "../model/identity.ts";
import type { Segment } from "../model/model.ts";
import type { Replica } from "../replica/replica.ts";
import type { RelocationEvent } from "../model/relocation-event.ts";

/** Another segment's interface of the same device, in the same VRF and of the same kind of segment. */
export interface OtherInterface {
  readonly interface: number;
  /** By name. */
  readonly segment: string;
  readonly isPredicted: boolean;
  /** The address that is promised there; absent: no promise runs. */
  readonly address?: string;
  /** The one it had last, promised or not. */
  readonly last?: string;
  /** What its segment says of promises that run. */
  readonly rehome: "move" | "keep" | "refuse";
  /** How often the device has moved of late, each time within a lease. */
  readonly moves: number;
}

/** `leaves`: its address goes its policy's way, machine and label go along. `stays`: the device lives in both places. */
export type Relocation = "leaves" | "stays" | "alternates" | "refuses";

/**
 * So many moves within a lease's time each are a device's; who moves on is on both segments at once, and no name is moved
 * to and fro after it: both places are its own until one of the promises is over.
 */
export const MOST_MOVES = 3;

export function relocationOf({ address, rehome, moves }: OtherInterface): Relocation {
  if (address === undefined) return "leaves";
  if (rehome === "refuse") return "refuses";
  if (rehome === "keep") return "stays";
  return moves < MOST_MOVES ? "leaves" : "alternates";
}

/** What there is to tell of an arrival; undefined where nothing has changed for anybody. */
export function relocationEventOf(
  wasPredicted: boolean,
  otherInterfaces: readonly OtherInterface[],
): { readonly is: RelocationEvent["is"]; readonly home?: OtherInterface } | undefined {
  const left = otherInterfaces.find((home) => !home.isPredicted && relocationOf(home) === "leaves");
  if (left) return { is: "moved", home: left };
  const both = otherInterfaces.find((home) => relocationOf(home) === "alternates");
  if (both) return { is: "alternates", home: both };
  const elsewhere = otherInterfaces.find((home) => home.isPredicted && relocationOf(home) === "leaves");
  if (wasPredicted) return { is: "promoted" };
  return elsewhere && { is: "promoted", home: elsewhere };
}

/** Whether a segment holds on to a device that asks on another one: there is nothing to offer it there for now. */
export function isHeldElsewhere(
  rows: Pick<Replica, "interface" | "interfacesOf" | "segment" | "leaseOf">,
  here: Segment,
  identity: ClientIdentity,
  now: number,
): boolean {
  const own = rows.interface(here.id, identity);
  if (own && own.state === undefined) return false;
  return rows.interfacesOf(identity).some(({ id, segment, state }) => {
    const there = rows.segment(segment);
    if (segment === here.id || state === "away" || there?.rehome !== "refuse") return false;
    if (there.vrf !== here.vrf || there.is !== here.is) return false;
    return ([4, 6] as const).some((family) => {
      const lease = rows.leaseOf(id, family);
      return lease?.state === "bound" && lease.expiresAt > now;
    });
  });
}
