import type { Shared } from "@firstlight/service";
import type { Address } from "@firstlight/wire";
import { type Refused, refused } from "./reasons.ts";
import type { Identity } from "./identify.ts";
import { requesterAt, type Requester } from "./requester.ts";
import type { PxeHttpReplica } from "./holding.ts";

export interface GateParts {
  readonly replica: PxeHttpReplica;
  readonly vrf: string;
  readonly identity: Identity;
  readonly shared: Pick<Shared, "take">;
  readonly perClient: { readonly perSecond: number; readonly burst: number };
}

/** Decides who may ask and how often, for the HTTP server and for raw connections alike. */
export class Gate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** The machine that leases the source address, without waiting for a lease that the feed has not brought yet. */
  known(source: Address): Requester | Refused {
    return requesterAt(this.#parts.replica, source, this.#parts.vrf);
  }

  /** Counts one request of an address; false beyond the limit, which all replicas share. */
  take(address: string | undefined): Promise<boolean> | boolean {
    const { shared, perClient } = this.#parts;
    return shared.take(`pxe-http ${address}`, perClient.perSecond, perClient.burst);
  }

  /** Counts one request, then finds its machine. The limit comes first: an unknown address may wait for its lease. */
  async admit(source: Address | undefined, address: string | undefined): Promise<Requester | Refused> {
    if (!(await this.take(address))) return refused("requests-per-client-limit");
    return this.#parts.identity.of(source);
  }
}
