import type { Context, Readiness } from "@firstlight/service";
import { warnOfDurability } from "./durability.ts";
import { databaseOf, openReplica } from "../replica/open.ts";
import type { Holding } from "../replica/holding.ts";
import type { Replica } from "../replica/replica.ts";
import { startSequencer } from "../feed/sequencer.ts";
import type { Store } from "./store.ts";
import { createStore } from "./create.ts";

/** The IPAM as a daemon that writes holds it. */
export interface Ipam<H extends Holding = Holding> extends AsyncDisposable {
  readonly store: Store;
  readonly replica: Replica<H>;
  ready(): Readiness;
}

/** Joins the store, a replica that follows the feed (`openReplica`) and, where asked, a sequencer. */
export async function openIpam<const H extends Holding>({
  context,
  sequencer,
  holding,
  ordered = false,
}: {
  readonly context: Context<unknown>;
  readonly sequencer: boolean;
  /** What the replica holds. */
  readonly holding: H;
  /** Whether the replica can be listed in order. */
  readonly ordered?: boolean;
}): Promise<Ipam<H>> {
  const { log } = context;
  const database = databaseOf(context);
  await using parts = new AsyncDisposableStack();
  const store = parts.use(createStore(database));
  if (sequencer) void warnOfDurability(database, log); // by one daemon for all
  const following = parts.use(await openReplica(context, holding, { ordered }));
  if (sequencer) parts.use(startSequencer({ ...database, log, seen: () => following.replica.at }));
  const owned = parts.move();
  return {
    store,
    replica: following.replica,
    ready: following.ready,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
