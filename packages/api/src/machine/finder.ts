import type { Pool } from "pg";
import { type MachineRow, machinesOf } from "./rows.ts";

/**
 * Finds machines by MAC in the database; a cached machine could be of an older version. One query runs at a time, and requests that
 * arrive meanwhile share the next one, so that many machines cost a few queries.
 */
export class Finder {
  readonly #pool: Pool;
  #asked = new Map<string, PromiseWithResolvers<MachineRow | undefined>>();
  #isAsking = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  find(mac: string): Promise<MachineRow | undefined> {
    let asked = this.#asked.get(mac);
    if (asked === undefined) this.#asked.set(mac, (asked = Promise.withResolvers()));
    if (!this.#isAsking) {
      this.#isAsking = true;
      setImmediate(() => void this.#run()); // requests of one turn of the event loop share a query
    }
    return asked.promise;
  }

  async #run(): Promise<void> {
    while (this.#asked.size > 0) {
      const asked = this.#asked;
      this.#asked = new Map();
      try {
        const found = await machinesOf(this.#pool, [...asked.keys()]);
        for (const [mac, { resolve }] of asked) resolve(found.get(mac));
      } catch (fault) {
        for (const { reject } of asked.values()) reject(fault);
      }
    }
    this.#isAsking = false;
  }
}
