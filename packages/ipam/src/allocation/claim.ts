import type { Address } from "@firstlight/wire";
import { type ClientIdentity, identitiesOf, isPort, type Proof } from "../model/identity.ts";
import type { ExpectedDevice, Reservation, Segment } from "../model/model.ts";

/** What is declared of addresses, as allocation asks for it. */
export interface Claims {
  expected(identity: ClientIdentity): ExpectedDevice | undefined;
  /** The device this address is declared for. */
  expectedAt(address: Address): ExpectedDevice | undefined;
  /** Whom this address is reserved for. */
  reservedAt(address: Address, vrf: string): Reservation | undefined;
  /** What is reserved for this identity: at most one of each family. */
  reservedFor(segment: number, identity: string): readonly Reservation[];
}

/** Who asks, by everything it can be known by. */
export interface Claimant {
  readonly segment: Segment;
  readonly identity: ClientIdentity;
  readonly identities: readonly string[];
}

/** An address that is this client's by declaration. A port's address is taken from whoever holds it. */
export interface Claimed {
  readonly address: Address;
  readonly preempts: boolean;
}

export function claimant(segment: Segment, identity: ClientIdentity, proof: Proof = {}): Claimant {
  return { segment, identity, identities: identitiesOf(identity, proof) };
}

/** What is declared for this client in a family, the strongest claim first: its port's, its device's, its own. */
export function claimsOf(claims: Claims, { segment, identity, identities }: Claimant, family: 4 | 6): Claimed[] {
  const type = family === 4 ? "number" : "bigint";
  const all = identities.flatMap((text) =>
    claims.reservedFor(segment.id, text).map(({ address }) => ({ address, preempts: isPort(text) })),
  );
  const device = claims.expected(identity)?.address;
  if (device !== undefined) all.push({ address: device, preempts: false });
  return all
    .filter(({ address }) => typeof address === type)
    .toSorted((a, b) => Number(b.preempts) - Number(a.preempts));
}

/** Declared for any client. */
export function isDeclared(claims: Claims, address: Address, vrf: string): boolean {
  return claims.expectedAt(address) !== undefined || claims.reservedAt(address, vrf) !== undefined;
}
