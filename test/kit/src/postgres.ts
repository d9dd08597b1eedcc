/**
 * A database of its own for every test file, copied from a migrated template.
 *
 * On FIRSTLIGHT_TEST_DATABASE_URL or DATABASE_URL where set (`npm test` starts one server for all files), else on an
 * embedded server of this process. That one has fsync off: what tests write may be lost with the machine.
 */
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MIGRATIONS, migrateIpam } from "@firstlight/ipam/migrate";
import { startPostgres } from "@firstlight/site/postgres";
import { Client } from "pg";

export { backup } from "./backup.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/** Schema `ipam` is there and empty. Dropped on disposal, whoever is still connected. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await serverUrl();
  const name = `firstlight_test_${process.pid}_${randomBytes(6).toString("hex")}`;
  try {
    await administer(server.url, async (client) => {
      const template = await migratedTemplate(client, server.url);
      await patiently(() => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
    });
  } catch (error) {
    await server.release();
    throw error;
  }
  return {
    url: databaseUrl(server.url, name),
    [Symbol.asyncDispose]: async () => {
      try {
        await administer(server.url, (client) =>
          patiently(() => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
        );
      } finally {
        await server.release();
      }
    },
  };
}

/** An embedded server for tests alone, in a folder that goes with it. */
export async function startTestServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), "firstlight-test-pg-"));
  chmodSync(dir, 0o711); // an unprivileged user must be able to pass; the server's own folder inside is closed
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

/** The embedded server is stopped with the last database on it: nothing may keep a test process alive. */
let embedded: { readonly server: ReturnType<typeof startTestServer>; users: number } | undefined;

async function serverUrl(): Promise<Server> {
  const given = process.env["FIRSTLIGHT_TEST_DATABASE_URL"] ?? process.env["DATABASE_URL"];
  if (given) return { url: given, release: async () => {} };
  const current = (embedded ??= { server: startTestServer(), users: 0 });
  current.users++;
  const release = async (): Promise<void> => {
    if (--current.users > 0) return;
    if (embedded === current) embedded = undefined;
    await (await current.server).stop();
  };
  return { url: (await current.server).url, release };
}

/** Made once per server and set of migrations; the lock keeps two test files from making or copying it at the same time. */
async function migratedTemplate(client: Client, server: string): Promise<string> {
  const hash = createHash("sha256");
  for (const file of readdirSync(MIGRATIONS).toSorted()) hash.update(readFileSync(join(MIGRATIONS, file)));
  const name = `firstlight_template_${hash.digest("hex").slice(0, 12)}`;
  await client.query("SELECT pg_advisory_lock(hashtext('firstlight test template'))"); // until this session ends
  const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1 AND NOT datallowconn", [name]);
  if (rowCount === 0) {
    await patiently(() => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)); // a half-made one of a killed run
    await client.query(`CREATE DATABASE ${name}`);
    await migrateIpam(databaseUrl(server, name));
    await client.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
  }
  return name;
}

const PATIENCE_MS = 60_000;

async function administer(url: string, act: (client: Client) => Promise<unknown>): Promise<void> {
  const client = await patiently(() => connect(url));
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
  client.on("error", () => {}); // the query under way says it
  await client.connect();
  await client.query(`SET statement_timeout = ${PATIENCE_MS}`);
  return client;
}

/** What passes on a busy machine: a backend that has been told to go and is not gone yet, no connection free, a server that starts. */
const PASSES = new Set(["55006", "53300", "57P03", "ECONNREFUSED", "ECONNRESET"]);

async function patiently<T>(act: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!PASSES.has((error as { code?: string }).code ?? "") || performance.now() > until) throw error;
      await sleep(100);
    }
  }
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
