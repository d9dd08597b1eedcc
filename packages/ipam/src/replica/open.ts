import { join } from "node:path";
import type { Context } from "@firstlight/service";
import { createReplica, type Following } from "../feed/follower.ts";
import { PgSource } from "../feed/postgres.ts";
import type { DatabaseOptions } from "../database/connections.ts";
import type { Holding } from "./holding.ts";

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
 * A replica that holds these kinds and indexes and follows the feed. Also resolves while the database is away: then with the
 * rows of the snapshot in `STATE/DAEMON.ipam`, and `ready()` says so. `ordered`: whether rows can be listed in order.
 */
export async function openReplica<const H extends Holding>(
  context: Context<unknown>,
  holding: H,
  { ordered = false }: { readonly ordered?: boolean } = {},
): Promise<Following<H>> {
  const { site, log, clock } = context;
  await using parts = new AsyncDisposableStack();
  const source = parts.use(new PgSource(databaseOf(context)));
  const snapshotFile = join(site.site.stateDir, `${nameOf(log)}.ipam`);
  const following = parts.use(await createReplica(source, clock, { snapshotFile, log, ordered, holding }));
  const owned = parts.move();
  return { ...following, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The daemon's name, as each line of its log has it. */
function nameOf(log: Context<unknown>["log"]): string {
  return String(log.bindings()["daemon"] ?? "daemon");
}
