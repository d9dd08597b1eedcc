import { EDIT_REASONS, type EditReason } from "@firstlight/ipam";
import { Refused } from "@firstlight/ipam/store";
import { fillSentence } from "@firstlight/service";
import { status, type StatusObject } from "@grpc/grpc-js";
import { isDatabaseAway } from "../database.ts";
import { errorTrailer } from "./error-info.ts";
import { type Reason, REASONS } from "../reasons.ts";

/** The facts of one case, by the names that the reason's sentence has for them. */
export type Facts = Readonly<Record<string, string>>;

/** A refusal that is expected, on its way to the caller: a reason of the table, and the facts of the case. */
export class CallRefused extends Error {
  readonly reason: Reason;
  readonly facts: Facts;

  constructor(reason: Reason, facts: Facts = {}) {
    super(fillSentence(REASONS[reason].sentence, facts));
    this.reason = reason;
    this.facts = facts;
  }
}

export const callRefused = (reason: Reason, facts?: Facts): CallRefused => new CallRefused(reason, facts);
/** A refusal of one field; `field` is its name in the contract. */
export const invalid = (field: string, reason: Reason, facts?: Facts): CallRefused =>
  new CallRefused(reason, { field, ...facts });

/**
 * The status of a failed call: the code of its reason, the sentence, and the reason as `google.rpc.ErrorInfo` in the trailers. An
 * unexpected error is described in the log only.
 */
export function statusOf(error: unknown): Pick<StatusObject, "code" | "details" | "metadata"> {
  const { reason, facts, message } = expected(error) ?? callRefused("api-fault");
  const code = codeOf(reason);
  return { code, details: message, metadata: errorTrailer({ code, message, reason, facts }) };
}

function expected(error: unknown): CallRefused | Refused | undefined {
  if (error instanceof CallRefused || error instanceof Refused) return error;
  return isDatabaseAway(error) ? callRefused("database-away") : undefined;
}

function codeOf(reason: Reason | EditReason): status {
  const { answers } = { ...EDIT_REASONS, ...REASONS }[reason];
  return answers in status ? status[answers as keyof typeof status] : status.INTERNAL;
}
