import type pg from "pg";
import type { SiteDeclaration } from "../config.ts";
import type { Store } from "../store.ts";
import { pull } from "./changes.ts";
import { commitBatch } from "./commit.ts";
import { declareSite } from "./declare.ts";
import { expectDevices } from "./expect.ts";
import { allocate, listGrants, release } from "./grants.ts";
import { createHerald } from "./herald.ts";
import { deleteInterface } from "./interfaces.ts";
import { createLookup } from "./lookup.ts";
import { deleteName, putName } from "./names.ts";
import { Places } from "./places.ts";
import { createPool, createWriters, type DatabaseOptions } from "./pool.ts";
import { deletePool, listPools, putPool } from "./pools.ts";
import { unexpect } from "./predict.ts";
import { deleteReservation, putReservation } from "./reservations.ts";
import { createSegment, deleteSegment, drain, updateSegment } from "./segments.ts";
import { type Commit, transaction } from "./transaction.ts";

/** The store on PostgreSQL, with connections of its own. Connects when first asked: creating it needs no database. */
export function createStore(options: DatabaseOptions): Store {
  const pool = createPool(options);
  const writers = createWriters(options);
  const herald = createHerald(pool);
  const places = new Places();

  /** One transaction; the sequencer hears of it when it is committed. */
  const write = async <T>(
    of: "batch" | "grants" | "edit",
    act: (client: pg.PoolClient, commit: Commit) => Promise<T>,
  ): Promise<T> => {
    const result = await transaction(of === "batch" ? writers : pool, of, act);
    herald.tell();
    return result;
  };

  return {
    commit: async (batch, actor) =>
      batch.length === 0 ? [] : write("batch", (client, commit) => commitBatch(client, batch, actor, places, commit)),
    declare: (site: SiteDeclaration, actor) => write("edit", (client) => declareSite(client, site, actor)),
    createSegment: (edit, actor) => write("edit", (client) => createSegment(client, edit, actor)),
    updateSegment: (name, edit, actor) => write("edit", (client) => updateSegment(client, name, edit, actor)),
    deleteSegment: (name, actor) => write("edit", (client) => deleteSegment(client, name, actor)),
    drain: (name, prefix, state, actor) => write("edit", (client) => drain(client, name, prefix, state, actor)),
    deleteInterface: (segment, mac, actor) => write("edit", (client) => deleteInterface(client, segment, mac, actor)),
    putReservation: async (edit, actor) =>
      (await write("edit", (client) => putReservation(client, edit, actor))).reservation,
    deleteReservation: (segment, address, actor) =>
      write("edit", (client) => deleteReservation(client, segment, address, actor)),
    putPool: (edit, actor) => write("grants", async (client) => void (await putPool(client, edit, actor))),
    deletePool: (name, actor) => write("grants", (client) => deletePool(client, name, actor)),
    pools: () => listPools(pool),
    allocate: (request, actor) => write("grants", (client) => allocate(client, request, actor)),
    release: (grant, actor) => write("grants", (client) => release(client, grant, actor)),
    grants: (name, after, limit) => listGrants(pool, name, after, limit),
    putName: (name, actor) => write("edit", (client) => putName(client, name, actor)),
    deleteName: (owner, type, actor) => write("edit", (client) => deleteName(client, owner, type, actor)),
    expect: (devices, actor) => write("edit", async (client) => void (await expectDevices(client, devices, actor))),
    unexpect: (macs, actor) => write("edit", (client) => unexpect(client, macs, actor)),
    lookup: createLookup(pool),
    changes: (after, limit) => pull(pool, after, limit),
    async [Symbol.asyncDispose]() {
      herald.close();
      await Promise.all([pool.end(), writers.end()]);
    },
  };
}
