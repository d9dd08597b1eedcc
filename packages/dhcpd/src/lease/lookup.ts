import type { Store } from "@firstlight/ipam/store";
import { withTimeout } from "@firstlight/service";
import type { Mac } from "@firstlight/wire";

/** What the database has about one client. */
export type DatabaseLookup = Awaited<ReturnType<Store["lookup"]>>;

/** Queries the database about a client that the replica does not know: once per client at a time, few at once, with a deadline. */
export class Lookups {
  readonly #underWay = new Map<Mac, Promise<DatabaseLookup>>();
  readonly #store: Pick<Store, "lookup">;
  readonly #most: number;
  readonly #deadlineMs: number;

  constructor(
    store: Pick<Store, "lookup">,
    { most, deadlineMs }: { readonly most: number; readonly deadlineMs: number },
  ) {
    this.#store = store;
    this.#most = most;
    this.#deadlineMs = deadlineMs;
  }

  /** `undefined` when too many are under way. Rejects when the database does not answer in time. */
  ask(mac: Mac): Promise<DatabaseLookup> | undefined {
    const underWay = this.#underWay.get(mac);
    if (underWay) return underWay;
    if (this.#underWay.size >= this.#most) return undefined;
    const asked = withTimeout(this.#deadlineMs, this.#store.lookup(mac)).finally(() => this.#underWay.delete(mac));
    this.#underWay.set(mac, asked);
    return asked;
  }
}
