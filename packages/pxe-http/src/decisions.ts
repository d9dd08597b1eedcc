import type { Decision } from "@firstlight/api-client";
import { LruMap } from "@firstlight/service";
import type { Requester } from "./requester.ts";

const MOST_MACHINES = 65_536;

/**
 * Decisions that may be used again while the API is away. Only `local-disk` is ever kept: a machine in order goes on
 * booting its disk. All other actions move a machine through its lifecycle, which without the API goes nowhere: they
 * wait. Bounded in age, since a replica that is cut off does not hear of an assignment or a release; forgotten as soon
 * as the API says anything else of the machine.
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

  /** The last decision, if it still stands on its own. */
  standing(requester: Requester, now: number): Decision | undefined {
    const kept = this.#kept.get(keyOf(requester));
    return kept && now - kept.at < this.#forMs ? kept.decision : undefined;
  }
}

/** Another address or another MAC is another question. */
const keyOf = ({ address, mac }: Requester): string => `${mac} ${address}`;
