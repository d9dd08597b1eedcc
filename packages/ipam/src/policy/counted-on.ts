/** Whether an address that was leased is still counted on, in TypeScript and in SQL. `policy-law.test.ts` holds the two together. */
import type { AddressPolicy } from "../model/model.ts";

/** Kept for its holder also after the lease and its grace. A declaration for another client ends what a policy keeps, not what a machine uses. */
export function isCountedOn(policy: AddressPolicy, isReferenced: boolean, isDeclared: boolean): boolean {
  return isReferenced || (policy !== "dynamic" && !isDeclared);
}

/** When another interface may have the address without a declaration: database time in milliseconds; Infinity: never. */
export function freeFrom(policy: AddressPolicy, isReferenced: boolean, reusableAt: number): number {
  return isCountedOn(policy, isReferenced, false) ? Infinity : reusableAt;
}

/** For a declaration: lease `l` rests, or its interface `i` belongs to a machine. `i` may be the null row of an outer join. */
export const HELD_FROM_DECLARATION = "(l.reusable_at > now() OR i.machine IS NOT NULL)";

/** For a client without a declaration: the same, or the lease's policy keeps it. */
export const KEPT_FOR_HOLDER = "(i.machine IS NOT NULL OR l.policy <> 'dynamic')";
export const COUNTED_ON = `(l.reusable_at > now() OR ${KEPT_FOR_HOLDER})`;

/** The address of lease `l` is declared neither for its device nor by any reservation. */
export const UNDECLARED = `(
  NOT EXISTS (SELECT FROM ipam.expected_device e WHERE e.address = l.address AND e.mac = l.mac)
  AND NOT EXISTS (SELECT FROM ipam.reservation r WHERE r.vrf = l.vrf AND r.address = l.address))`;
