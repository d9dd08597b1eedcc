import { join } from "node:path";
import type { Context } from "@firstlight/service";
import { createReplica, type Following } from "../feed/follower.ts";
import { PgSource } from "../feed/postgres.ts";
import type { Kind } from "../model/model.ts";
import { ALL_KINDS } from "../feed/kinds.ts";
import type { ReplicaOf } from "./reads.ts";
import type { DatabaseOptions } from "../database/connections.ts";

/** The database of the site as this daemon connects to it. Throws if the site's file names none. */
export function databaseOf({ site, log }: Pick<Context<unknown>, "site" | "log">): DatabaseOptions {
  if (site.database.url === undefined)
    throw new Error("database.url is not set: set it in the site's file, or DATABASE_URL");
  return {
    url: site.database.url,
    ...(site.database.passwordFile !== undefined && { passwordFile: site.database.passwordFile }),
    name: nameOf(log),
    poolSize: site.database.poolSize,
    onLost: (err) => log.debug({ err }, "an idle database connection broke"),
  };
}

/**
 * A replica that follows the feed, for daemons that only read. It holds rows of these kinds and answers what they can answer;
 * absent: of all. `ordered`: whether it can be listed in order. Resolves while the database is away, too: with what the
 * snapshot in `STATE/DAEMON.ipam` has, and `ready()` says so.
 */
export async function openReplica<K extends Kind = Kind>(
  context: Context<unknown>,
  { kinds: held, ordered = false }: Held<K> = {},
): Promise<Omit<Following, "replica"> & { readonly replica: ReplicaOf<K> }> {
  const { site, log, clock } = context;
  const kinds: readonly Kind[] = held ?? ALL_KINDS;
  await using parts = new AsyncDisposableStack();
  const source = parts.use(new PgSource(databaseOf(context), kinds));
  const snapshotFile = join(site.site.stateDir, `${nameOf(log)}.ipam`);
  const following = parts.use(await createReplica(source, clock, { snapshotFile, log, ordered, kinds }));
  const owned = parts.move();
  return { ...following, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What a replica holds. */
export interface Held<K extends Kind> {
  readonly kinds?: readonly K[];
  readonly ordered?: boolean;
}

/** The daemon's name, as each line of its log has it. */
function nameOf(log: Context<unknown>["log"]): string {
  return String(log.bindings()["daemon"] ?? "daemon");
}
