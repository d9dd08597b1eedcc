import type { Decision } from "@firstlight/api-client";
import { LruMap } from "@firstlight/service";
import type { Requester } from "./requester.ts";

const MOST_MACHINES = 65_536;

/**
 * Decisions that may be used again while the API is away. Only `local-disk` is kept: a machine in order continues to boot its disk. All
 * other actions change the lifecycle, which needs the API, so the machine waits. A decision has a maximum age, because a daemon that is
 * cut off does not learn of an assignment or a release. It is dropped as soon as the API decides otherwise.
 */
export class Decisions {
  readonly #kept = new LruMap<string, { readonly decision: Decision; readonly at: number } | undefined>(MOST_MACHINES);
  readonly #forMs: number;

  constructor(forSeconds: number) {
    this.#forMs = forSeconds * 1000;
  }

  learn(requester: Requester, decision: Decision, now: number): void {
    this.#kept.set(keyOf(requester), decision.action === "local-disk" ? { decision, at: now } : undefined);
  }

  forget(requester: Requester): void {
    this.#kept.set(keyOf(requester), undefined);
  }

  /** The last decision, if it is not too old. */
  standing(requester: Requester, now: number): Decision | undefined {
    const kept = this.#kept.get(keyOf(requester));
    return kept && now - kept.at < this.#forMs ? kept.decision : undefined;
  }
}

/** A decision is of one MAC at one address. */
const keyOf = ({ address, mac }: Requester): string => `${mac} ${address}`;
