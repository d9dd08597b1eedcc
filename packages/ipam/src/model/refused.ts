/** An edit that the site's rules forbid: an expected refusal, with the reason an operator can act on. */
export class Refused extends Error {
  readonly code = "FL_REFUSED";
}

/** A resource pool has no value left: no fault of the edit that asked. */
export class Exhausted extends Refused {}
