import { EDIT_REASONS, type EditReason } from "./edit-reasons.ts";

/** The facts of a refused edit, by the names that its reason's sentence has for them. */
export type EditFacts = Readonly<Record<string, string>>;

/** An edit that the site's rules forbid: an expected refusal, with a reason of `EDIT_REASONS` and the facts of the case. */
export class Refused extends Error {
  readonly code = "FL_REFUSED";
  readonly reason: EditReason;
  readonly facts: EditFacts;

  constructor(reason: EditReason, facts: EditFacts, options?: ErrorOptions) {
    const { sentence } = EDIT_REASONS[reason];
    super(
      sentence.replaceAll(/\{([a-z]+)\}/g, (placeholder, name: string) => facts[name] ?? placeholder),
      options,
    );
    this.reason = reason;
    this.facts = facts;
  }
}

/** A resource pool has no value left: no fault of the edit that asked. */
export class Exhausted extends Refused {}
