import type { Pool } from "pg";
import { type MachineRow, machinesOf } from "./rows.ts";

/**
 * Machines by MAC, always asked of the database: a decision kept here could outlive its version. One query at a time;
 * what is asked meanwhile goes into the next one, so that a storm of machines costs a few queries, not one each.
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
      setImmediate(() => void this.#run()); // what one turn brings goes together
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
