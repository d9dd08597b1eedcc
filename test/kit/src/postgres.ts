/**
 * Gives every test file its own database, which is copied from a migrated template.
 *
 * The server is that of FIRSTLIGHT_TEST_DATABASE_URL or DATABASE_URL, if set (`npm test` starts one server for all files), otherwise
 * an embedded server of this process. The embedded server has fsync off, because tests need no durability.
 */
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MIGRATIONS, migrateIpam } from "@firstlight/ipam/migrate";
import { startPostgres } from "@firstlight/site/postgres";
import { Client, Pool } from "pg";

export { backup } from "./backup.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/**
 * A pool for a test's own statements. The drop of its database may end a connection that is closing just then: that is no fault
 * of the test, and without a listener the error would end the process.
 */
export function testPool(url: string, max: number): Pool {
  const pool = new Pool({ connectionString: url, max });
  pool.on("error", () => {});
  return pool;
}

/** Creates a database with an empty schema `ipam`. Disposal drops it and closes its connections. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await serverUrl();
  const name = `firstlight_test_${process.pid}_${randomBytes(6).toString("hex")}`;
  try {
    await asAdministrator(server.url, async (client) => {
      const template = await migratedTemplate(client, server.url);
      await withRetries(() => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
    });
  } catch (error) {
    await server.release();
    throw error;
  }
  return {
    url: databaseUrl(server.url, name),
    [Symbol.asyncDispose]: async () => {
      try {
        await asAdministrator(server.url, (client) =>
          withRetries(() => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
        );
      } finally {
        await server.release();
      }
    },
  };
}

/** Starts an embedded server for tests. `stop` removes its folder. */
export async function startTestServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), "firstlight-test-pg-"));
  chmodSync(dir, 0o711); // PostgreSQL's unprivileged user must be able to enter it; the server's folder inside is closed to others
  const remove = (): void => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  try {
    const server = await startPostgres({ dir: join(dir, "pg"), durable: false, maxConnections: 200 });
    const stop = async (): Promise<void> => {
      await server.stop();
      remove();
    };
    return { url: server.url, stop };
  } catch (error) {
    remove();
    throw error;
  }
}

interface Server {
  readonly url: string;
  release(): Promise<void>;
}

/** The embedded server of this process. It is stopped with its last database, so that it does not keep the process alive. */
let embedded: { readonly server: ReturnType<typeof startTestServer>; users: number } | undefined;

async function serverUrl(): Promise<Server> {
  const configured = process.env["FIRSTLIGHT_TEST_DATABASE_URL"] ?? process.env["DATABASE_URL"];
  if (configured) return { url: configured, release: async () => {} };
  const current = (embedded ??= { server: startTestServer(), users: 0 });
  current.users++;
  const release = async (): Promise<void> => {
    if (--current.users > 0) return;
    if (embedded === current) embedded = undefined;
    await (await current.server).stop();
  };
  return { url: (await current.server).url, release };
}

/** The name of the template, which is created once per server and set of migrations. The lock keeps test files from creating or copying it at the same time. */
async function migratedTemplate(client: Client, server: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of readdirSync(MIGRATIONS).toSorted()) hash.update(readFileSync(join(MIGRATIONS, file)));
  const name = `firstlight_template_${hash.digest("hex").slice(0, 12)}`;
  await client.query("SELECT pg_advisory_lock(hashtext('firstlight test template'))"); // held until this session ends
  const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1 AND NOT datallowconn", [name]);
  if (rowCount === 0) {
    await withRetries(() => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)); // an incomplete one of a killed run
    await client.query(`CREATE DATABASE ${name}`);
    await migrateIpam(databaseUrl(server, name));
    await client.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
  }
  return name;
}

const RETRY_MS = 60_000;

async function asAdministrator(url: string, act: (client: Client) => Promise<unknown>): Promise<void> {
  const client = await withRetries(() => connect(url));
  try {
    await act(client);
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    application_name: "firstlight test",
    connectionTimeoutMillis: 20_000,
  });
  client.on("error", () => {}); // the running query rejects
  await client.connect();
  await client.query(`SET statement_timeout = ${RETRY_MS}`);
  return client;
}

/** Errors that pass: a backend that is still ending (55006), no free connection (53300), a server that is starting (57P03, ECONNREFUSED, ECONNRESET). */
const TRANSIENT = new Set(["55006", "53300", "57P03", "ECONNREFUSED", "ECONNRESET"]);

/** Repeats `act` for up to a minute while it fails with a transient error. */
async function withRetries<T>(act: () => Promise<T>): Promise<T> {
  const until = performance.now() + RETRY_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!TRANSIENT.has((error as { code?: string }).code ?? "") || performance.now() > until) throw error;
      await sleep(100);
    }
  }
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
