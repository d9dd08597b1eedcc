import { createNotifier, pull } from "@firstlight/changefeed";
import type pg from "pg";
import type { SiteDeclaration } from "../config.ts";
import { KINDS } from "../feed/kinds.ts";
import type { Store } from "./store.ts";
import { commitBatch } from "./lease/commit.ts";
import { declareSite } from "./declare.ts";
import { expectDevices } from "./device/expect.ts";
import { allocate, listGrants, release } from "./pool/grants.ts";
import { deleteInterface } from "./device/interfaces.ts";
import { BEGIN, HOLD_SEGMENT } from "./locks.ts";
import { createLookup } from "./lease/lookup.ts";
import { deleteName, putName } from "./dns/names.ts";
import { SegmentCache } from "./lease/segment-cache.ts";
import { createPool, createWriters, type DatabaseOptions } from "../database/connections.ts";
import { deletePool, listPools, putPool } from "./pool/pools.ts";
import { unexpect } from "./device/predict.ts";
import { deleteReservation, putReservation } from "./reservation/reservations.ts";
import { createSegment, deleteSegment, drain, updateSegment } from "./segment/segments.ts";
import { type Commit, transaction } from "./transaction.ts";

type Act<T> = (client: pg.PoolClient, commit: Commit) => Promise<T>;

/** The store on PostgreSQL, with connections of its own. Connects when first asked: creating it needs no database. */
export function createStore(options: DatabaseOptions): Store {
  const pool = createPool(options);
  const writers = createWriters(options);
  const notifier = createNotifier(pool);
  const places = new SegmentCache();

  /** One transaction; the sequencer is notified after the commit. */
  const write = async <T>(begin: string, act: Act<T>, connections = pool): Promise<T> => {
    const result = await transaction(connections, begin, act);
    notifier.notify();
    return result;
  };
  const edit = <T>(act: Act<T>): Promise<T> => write(BEGIN.edit, act);
  /** An edit of one segment, by its name: leases of other segments do not wait. */
  const editOf = <T>(segment: string, act: Act<T>): Promise<T> =>
    write(BEGIN.editOf, async (client, commit) => {
      await client.query(HOLD_SEGMENT, [segment]);
      return await act(client, commit);
    });

  return {
    commit: async (batch, actor) =>
      batch.length === 0
        ? []
        : write(
            BEGIN.batch(batch.map(({ segment }) => segment)),
            (client, commit) => commitBatch(client, batch, actor, places, commit),
            writers,
          ),
    declare: (site: SiteDeclaration, actor) => edit((client) => declareSite(client, site, actor)),
    createSegment: (segment, actor) => edit((client) => createSegment(client, segment, actor)),
    updateSegment: (name, fields, actor) => edit((client) => updateSegment(client, name, fields, actor)),
    deleteSegment: (name, actor) => edit((client) => deleteSegment(client, name, actor)),
    drain: (name, prefix, state, actor) => editOf(name, (client) => drain(client, name, prefix, state, actor)),
    deleteInterface: (segment, identity, actor) =>
      editOf(segment, (client) => deleteInterface(client, segment, identity, actor)),
    putReservation: async (wanted, actor) =>
      (await editOf(wanted.segment, (client) => putReservation(client, wanted, actor))).reservation,
    deleteReservation: (segment, address, actor) =>
      editOf(segment, (client) => deleteReservation(client, segment, address, actor)),
    putPool: (wanted, actor) => write(BEGIN.grants, async (client) => void (await putPool(client, wanted, actor))),
    deletePool: (name, actor) => write(BEGIN.grants, (client) => deletePool(client, name, actor)),
    pools: (after, limit) => listPools(pool, after, limit),
    allocate: (request, actor) => write(BEGIN.grants, (client) => allocate(client, request, actor)),
    release: (grant, actor) => write(BEGIN.grants, (client) => release(client, grant, actor)),
    grants: (name, after, limit) => listGrants(pool, name, after, limit),
    putName: (name, actor) => edit((client) => putName(client, name, actor)),
    deleteName: (owner, type, actor) => edit((client) => deleteName(client, owner, type, actor)),
    expect: (devices, actor) => edit(async (client) => void (await expectDevices(client, devices, actor))),
    unexpect: (macs, actor) => edit((client) => unexpect(client, macs, actor)),
    lookup: createLookup(pool),
    changes: (after, limit) => pull(pool, KINDS, after, { limit }),
    async [Symbol.asyncDispose]() {
      notifier.close();
      await Promise.all([pool.end(), writers.end()]);
    },
  };
}
