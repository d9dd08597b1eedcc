import { join } from "node:path";
import type { Context, Readiness } from "@firstlight/service";
import { warnOfDurability } from "./durability.ts";
import { createReplica } from "./follower.ts";
import type { Replica } from "./replica.ts";
import { startSequencer } from "./sequencer.ts";
import { PgSource } from "./source/postgres.ts";
import type { Store } from "./store.ts";
import { createStore } from "./store/create.ts";
import type { DatabaseOptions } from "./store/pool.ts";

/** The IPAM as a daemon holds it. */
export interface Ipam extends AsyncDisposable {
  readonly store: Store;
  readonly replica: Replica;
  ready(): Readiness;
}

/**
 * Joins the store, a replica that follows the feed and, where asked, a sequencer. Resolves while the database is away,
 * too: with what the snapshot in `STATE/DAEMON.ipam` has, and `ready()` says so.
 */
export async function openIpam({
  context,
  sequencer,
  ordered = false,
}: {
  readonly context: Context<unknown>;
  readonly sequencer: boolean;
  /** Whether the replica can be listed in order. */
  readonly ordered?: boolean;
}): Promise<Ipam> {
  const { site, log, clock } = context;
  if (site.database.url === undefined)
    throw new Error("database.url is not set: set it in the site's file, or DATABASE_URL");
  const name = String(log.bindings()["daemon"] ?? "daemon"); // what every line of its log is marked with
  const database: DatabaseOptions = {
    url: site.database.url,
    ...(site.database.passwordFile !== undefined && { passwordFile: site.database.passwordFile }),
    name,
    poolSize: site.database.poolSize,
    onLost: (err) => log.debug({ err }, "an idle database connection broke"),
  };
  await using parts = new AsyncDisposableStack();
  const store = parts.use(createStore(database));
  const source = parts.use(new PgSource(database));
  if (sequencer) void warnOfDurability(database, log); // by one daemon for all
  const snapshotFile = join(site.site.stateDir, `${name}.ipam`);
  const following = parts.use(await createReplica(source, clock, { snapshotFile, log, ordered }));
  if (sequencer) parts.use(startSequencer({ ...database, log, seen: () => following.replica.at }));
  const owned = parts.move();
  return {
    store,
    replica: following.replica,
    ready: following.ready,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
