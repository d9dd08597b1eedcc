import { Refused } from "@firstlight/ipam";
import { status, type StatusObject } from "@grpc/grpc-js";
import { isDatabaseAway } from "../database.ts";

/** An expected no, on its way to the caller: a gRPC status and a reason a person can act on. */
export class No extends Error {
  readonly status: status;

  constructor(code: status, because: string) {
    super(because);
    this.status = code;
  }
}

/** The field as the contract names it, and what is wrong with it. */
export const invalid = (field: string, because: string): No => new No(status.INVALID_ARGUMENT, `${field}: ${because}`);
export const notFound = (because: string): No => new No(status.NOT_FOUND, because);
export const precondition = (because: string): No => new No(status.FAILED_PRECONDITION, because);
export const denied = (because: string): No => new No(status.PERMISSION_DENIED, because);
export const exhausted = (because: string): No => new No(status.RESOURCE_EXHAUSTED, because);
export const unavailable = (because: string): No => new No(status.UNAVAILABLE, because);

/** What the caller learns of an error. What nobody expected is told in the log only. */
export function statusOf(error: unknown): Pick<StatusObject, "code" | "details"> {
  if (error instanceof No) return { code: error.status, details: error.message };
  if (error instanceof Refused) return { code: status.FAILED_PRECONDITION, details: error.message };
  if (isDatabaseAway(error)) return { code: status.UNAVAILABLE, details: "the database is away" };
  return { code: status.INTERNAL, details: "a fault of the API: see its log" };
}
