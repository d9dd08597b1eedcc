import { join } from "node:path";
import { undurable } from "@firstlight/ipam/store";
import { type SiteConfig, withPassword } from "@firstlight/service";
import { shown } from "../folders.ts";
import { migrate } from "../migrate.ts";
import { startPostgres } from "../postgres.ts";

/** The site's database, migrated. */
export interface Database extends AsyncDisposable {
  /** Variables by which the daemons find it; none where the site's file says it. */
  readonly env: Readonly<Record<string, string>>;
  /** What it is and what was done, in words. */
  readonly text: string;
  /** Migrations that were run. */
  readonly migrated: readonly string[];
  /** Settings without which an acknowledged lease may be lost at a power cut. */
  readonly undurable: readonly string[];
}

/** The database that the site names, or else its own: a real PostgreSQL in its state folder. */
export async function openDatabase(site: SiteConfig, note: (text: string) => void): Promise<Database> {
  await using parts = new AsyncDisposableStack();
  const { url: given, passwordFile } = site.database;
  const own = given === undefined ? await startOwn(site.site.stateDir, note) : undefined;
  if (own !== undefined) parts.defer(() => own.stop());
  const url = own?.url ?? withPassword(given ?? "", passwordFile);
  const { migrated, lax } = await provide(url);
  const owned = parts.move();
  return {
    env: own?.env ?? {},
    text: own?.text ?? `PostgreSQL at ${new URL(url).host}`,
    migrated,
    undurable: lax,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function provide(url: string) {
  try {
    return { migrated: await migrate(url), lax: await undurable({ url, name: "up" }) };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException; // a refused connection may have no message
    throw new Error(`the database at ${new URL(url).host}: ${message === "" ? code : message}`, { cause: error });
  }
}

/** The password goes to the daemons as a file, never in a variable. */
async function startOwn(stateDir: string, note: (text: string) => void) {
  const dir = join(stateDir, "postgres");
  const server = await startPostgres({
    dir,
    log: (fields, text) => {
      if (!text.endsWith(" started")) note(`${text} (${Object.values(fields).join(", ")})`);
    },
  });
  const bare = new URL(server.url);
  bare.password = "";
  return {
    url: server.url,
    stop: () => server.stop(),
    text: `PostgreSQL at ${bare.host}, ${server.identity}, in ${shown(dir)}`,
    env: { DATABASE_URL: bare.href, FIRSTLIGHT_DATABASE__PASSWORD_FILE: server.passwordFile },
  };
}
