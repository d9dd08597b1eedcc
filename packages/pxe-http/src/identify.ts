import type { Address } from "@firstlight/wire";
import { type Refused, refused } from "./reasons.ts";
import { type Requester, requesterAt } from "./requester.ts";
import type { PxeHttpReplica } from "./holding.ts";

/** At most this many clients wait for their lease at a time; further ones are refused at once. */
const MOST_WAITING = 256;

/**
 * Finds the machine behind a connection. Its request may arrive before the feed has brought its lease, so an unknown address
 * waits some time for it. The wait ends as soon as the lease arrives.
 */
export class Identity {
  readonly #replica: PxeHttpReplica;
  readonly #vrf: string;
  readonly #waitMs: number;
  #waiting = 0;

  constructor(replica: PxeHttpReplica, { vrf, waitMs }: { readonly vrf: string; readonly waitMs: number }) {
    this.#replica = replica;
    this.#vrf = vrf;
    this.#waitMs = waitMs;
  }

  async of(source: Address | undefined): Promise<Requester | Refused> {
    if (source === undefined) return refused("no-lease");
    const found = requesterAt(this.#replica, source, this.#vrf);
    if (found.is === "requester" || this.#waiting >= MOST_WAITING) return found;
    this.#waiting++;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _following = this.#replica.follow(() => {
      if (requesterAt(this.#replica, source, this.#vrf).is === "requester") resolve();
    });
    const timer = setTimeout(resolve, this.#waitMs);
    await promise;
    clearTimeout(timer);
    this.#waiting--;
    return requesterAt(this.#replica, source, this.#vrf);
  }
}
