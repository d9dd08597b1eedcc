/** The store's changes in the feed; the feed itself is tested in packages/changefeed. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import type { Change } from "../../src/feed/feed.ts";
import { PgSource } from "../../src/feed/postgres.ts";
import { bind, type Ground, ground, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());

interface Place {
  readonly site: Ground;
  readonly source: PgSource;
  readonly open: number;
}

async function place(): Promise<Place> {
  const site = parts.use(await ground());
  return { site, source: parts.use(new PgSource({ url: site.url, name: "test" })), open: site.segments["open"]! };
}

/** The whole feed, from its first position to what it has now, in pages of seven. */
async function feed({ source, site }: Place): Promise<Change[]> {
  const [at] = await site.sql<{ epoch: string }>("SELECT epoch FROM ipam.feed ORDER BY position DESC LIMIT 1");
  const all: Change[] = [];
  for (;;) {
    const pulled = await source.changes({ epoch: at!.epoch, position: all.at(-1)?.position ?? 0 }, 7);
    assert.ok(pulled.is === "changes");
    all.push(...pulled.changes);
    if (!pulled.more) return all;
  }
}

function mustBeGapless(changes: readonly Change[]): void {
  assert.deepEqual(
    changes.map(({ position }) => position),
    changes.map((_, n) => n + 1),
  );
  const versions = new Map<string, number>();
  for (const { kind, key, version } of changes) {
    assert.ok(version > (versions.get(`${kind} ${key}`) ?? 0), `${kind} ${key}: versions only grow`);
    versions.set(`${kind} ${key}`, version);
  }
}

test("two stores that renew the same devices in opposite order leave each row's versions in order", async () => {
  const here = await place();
  const { site, open } = here;
  site.sequencer();
  const other = site.anotherStore();
  const forth = Array.from({ length: 12 }, (_, n) => bind(open, stranger(n), `10.0.0.${20 + n}`));
  for (let round = 0; round < 8; round++) {
    await Promise.all([site.store.commit(forth, "a"), other.commit(forth.toReversed(), "b")]);
  }
  await site.drained();
  const changes = await feed(here);
  mustBeGapless(changes);
  const leases = changes.filter(({ kind }) => kind === "lease");
  assert.equal(leases.length, 12 * 16);
  assert.equal(leases.filter(({ dns }) => dns).length, 12, "renewals are no news for DNS");
});
