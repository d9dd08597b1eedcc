import type { LeaseRequest } from "../../model/lease.ts";
import type { Fact } from "./judge.ts";
import type { Json } from "../../database/rows.ts";

/** A request that may go ahead, with the row of its interface. */
export interface Admitted<Request extends LeaseRequest> {
  readonly request: Request;
  readonly fact: Fact;
  readonly interface: Json & { readonly id: number };
  readonly key: string;
}
