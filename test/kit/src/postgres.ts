/**
 * A database of its own for every test file, copied from a migrated template.
 *
 * On FIRSTLIGHT_TEST_DATABASE_URL or DATABASE_URL where set (`npm test` starts one server for all files), else on an
 * embedded server of this process. That one has fsync off: what tests write may be lost with the machine.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MIGRATIONS, migrateIpam } from "@firstlight/ipam/migrate";
import { startPostgres } from "@firstlight/site/postgres";
import { Client } from "pg";

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/** Schema `ipam` is there and empty. Dropped on disposal, whoever is still connected. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await serverUrl();
  const name = `firstlight_test_${process.pid}_${randomBytes(6).toString("hex")}`;
  await administer(server.url, async (client) => {
    const template = await migratedTemplate(client, server.url);
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  return {
    url: databaseUrl(server.url, name),
    [Symbol.asyncDispose]: async () => {
      await administer(server.url, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
      await server.release();
    },
  };
}

interface Server {
  readonly url: string;
  release(): Promise<void>;
}

/** The embedded server is stopped with the last database on it: nothing may keep a test process alive. */
let embedded: { readonly server: ReturnType<typeof startEmbedded>; users: number } | undefined;

async function serverUrl(): Promise<Server> {
  const given = process.env["FIRSTLIGHT_TEST_DATABASE_URL"] ?? process.env["DATABASE_URL"];
  if (given) return { url: given, release: async () => {} };
  const current = (embedded ??= { server: startEmbedded(), users: 0 });
  current.users++;
  const { url, stop } = await current.server;
  const release = async (): Promise<void> => {
    if (--current.users > 0) return;
    if (embedded === current) embedded = undefined;
    await stop();
  };
  return { url, release };
}

async function startEmbedded(): Promise<{ url: string; stop: () => Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), "firstlight-test-pg-"));
  const server = await startPostgres({ dir: join(dir, "pg"), durable: false });
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { url: server.url, stop };
}

/** Made once per server and set of migrations; the lock keeps two test files from making it at the same time. */
async function migratedTemplate(client: Client, server: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of readdirSync(MIGRATIONS).toSorted()) hash.update(readFileSync(join(MIGRATIONS, file)));
  const name = `firstlight_template_${hash.digest("hex").slice(0, 12)}`;
  await client.query("SELECT pg_advisory_lock(hashtext('firstlight test template'))");
  const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1 AND NOT datallowconn", [name]);
  if (rowCount === 0) {
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`); // a half-made one of a killed run
    await client.query(`CREATE DATABASE ${name}`);
    await migrateIpam(databaseUrl(server, name));
    await client.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
  }
  return name;
}

async function administer(url: string, act: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await act(client);
  } finally {
    await client.end();
  }
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
