import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { type Context, siteSchema, systemClock } from "@firstlight/service";
import { EVERYTHING } from "../../src/replica/holding.ts";
import { warnOfDurability } from "../../src/store/durability.ts";
import { migrateIpam } from "../../src/store/migrate.ts";
import { openIpam } from "../../src/store/open.ts";
import { bind, ground, ip, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
const stateDir = mkdtempSync(join(tmpdir(), "firstlight-ipam-"));
parts.defer(() => rmSync(stateDir, { recursive: true, force: true }));
const open = site.segments["open"]!;

const say = (): void => {};

/** What a daemon of this name would be given. */
function contextOf(name: string, url: string | undefined): Context<unknown> {
  const log = { debug: say, info: say, warn: say, error: say, bindings: () => ({ daemon: name }) };
  const parsed = siteSchema.parse({ database: { url }, site: { stateDir } });
  return { site: parsed, log, clock: systemClock } as unknown as Context<unknown>;
}

const nowhere = (): string => {
  const url = new URL(site.url);
  url.port = "1"; // tcpmux: nobody listens
  return url.href;
};

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("what one daemon commits, another's replica shows; and after a stop it starts from its snapshot while the database is away", async () => {
  {
    await using writer = await openIpam({
      context: contextOf("dhcpd", site.url),
      holding: EVERYTHING,
      sequencer: true,
    });
    await using reader = await openIpam({
      context: contextOf("dnsd", site.url),
      holding: EVERYTHING,
      sequencer: false,
    });
    assert.equal(reader.replica.segment(open)?.name, "open");
    assert.deepEqual(reader.ready().ready, true);
    await writer.store.commit([bind(open, stranger(1), "10.0.0.20")], "daemon/dhcpd");
    await until(() => reader.replica.lease(ip("10.0.0.20")) !== undefined);
    assert.equal(reader.replica.lease(ip("10.0.0.20"))?.identity, stranger(1));
  }
  await using alone = await openIpam({ context: contextOf("dnsd", nowhere()), holding: EVERYTHING, sequencer: true });
  assert.equal(alone.replica.lease(ip("10.0.0.20"))?.identity, stranger(1));
  const { ready, because, detail } = alone.ready();
  assert.equal(ready, true);
  assert.equal(because, "database-away");
  assert.match(detail ?? "", /^database away .* serving the replica/);
  await assert.rejects(alone.store.commit([bind(open, stranger(2), "10.0.0.21")], "daemon/dnsd"), /ECONNREFUSED/);
});

test("without a snapshot and a database it starts, is not ready, and says why", async () => {
  await using alone = await openIpam({ context: contextOf("tftpd", nowhere()), holding: EVERYTHING, sequencer: false });
  assert.deepEqual(alone.ready(), {
    ready: false,
    because: "replica-not-loaded",
    detail: "nothing loaded yet: the database has not been reached",
  });
});

test("a database that was never migrated is said by name, with the remedy; once migrated it is served", async () => {
  const url = new URL(site.url);
  url.pathname = "/bare";
  await site.sql("CREATE DATABASE bare");
  const detail = "database has no schema ipam (run: firstlight migrate)";
  {
    await using bare = await openIpam({
      context: contextOf("pxe-http", url.href),
      holding: EVERYTHING,
      sequencer: false,
    });
    assert.deepEqual(bare.ready(), { ready: false, because: "feed-fault", detail });
    await migrateIpam(url.href);
    await until(() => bare.ready().ready);
  }
  await site.sql("DROP DATABASE bare WITH (FORCE)");
  await site.sql("CREATE DATABASE bare");
  await using stale = await openIpam({
    context: contextOf("pxe-http", url.href),
    holding: EVERYTHING,
    sequencer: false,
  });
  assert.deepEqual([stale.ready().ready, stale.ready().detail], [true, `${detail}, serving the replica`]);
});

test("a site without a database is told what to set", async () => {
  await assert.rejects(
    openIpam({ context: contextOf("dhcpd", undefined), holding: EVERYTHING, sequencer: false }),
    /database\.url is not set/,
  );
});

test("a database that may lose what it acknowledged is warned of, loudly and in one line, each setting by name", async () => {
  const options = { url: site.url, name: "test" };
  await site.sql(`ALTER DATABASE "${new URL(site.url).pathname.slice(1)}" SET synchronous_commit = off`);
  const warnings: string[] = [];
  await warnOfDurability(options, { warn: (_, text) => warnings.push(text) });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^WARNING: .*synchronous_commit OFF AT THE DATABASE/);
});
