/** Whatever two stores are asked, in whatever order: history says of each moment what the feed said then. */
import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { formatMac } from "@firstlight/wire";
import * as fc from "fast-check";
import { startHistory } from "../../src/history/keeper.ts";
import { createHistory } from "../../src/history/read.ts";
import type { LeaseRequest } from "../../src/model/lease.ts";
import { back, bind, ground, ip, stranger } from "../ground.ts";

const site = await ground();
const parts = new AsyncDisposableStack();
parts.use(site);
after(() => parts.disposeAsync());
const pool = parts.adopt(testPool(site.url, 1), (one) => one.end());
const history = createHistory(pool);
const stores = [site.store, site.anotherStore()];
const open = site.segments["open"]!;
site.sequencer({ pollMs: 10 });
parts.use(startHistory({ url: site.url, name: "law", pollMs: 5 }));

/** Few devices and few addresses, so that they meet. */
const request = fc
  .record({ mac: fc.nat(3), host: fc.nat(3), act: fc.constantFrom("bind", "bind", "release", "decline") })
  .map(({ mac, host, act }): LeaseRequest => {
    const [who, address] = [stranger(mac), `10.0.0.${20 + host}`];
    return act === "bind" ? bind(open, who, address) : back(act, open, who, address);
  });
const batch = fc.uniqueArray(request, { maxLength: 3, selector: ({ identity: mac }) => mac });
const round = fc.record({ batches: fc.tuple(batch, batch), rests: fc.boolean() });

interface FeedRow {
  readonly address: string;
  readonly mac: string;
  readonly state: string;
  readonly starts: number;
  readonly until: number;
}

/** Each lease as the feed told it, in its order. */
async function told(): Promise<FeedRow[]> {
  return await site.sql<FeedRow>(`
    SELECT c."row" ->> 'address' AS address, c."row" ->> 'mac' AS mac, c."row" ->> 'state' AS state,
      ceil(extract(epoch FROM (c."row" ->> 'starts_at')::timestamptz) * 1000)::float8 AS starts,
      floor(extract(epoch FROM (c."row" ->> 'expires_at')::timestamptz) * 1000)::float8 AS until
    FROM ipam.change c WHERE kind = 'lease' ORDER BY position`);
}

/** Who had it, by walking the feed: the tenancy that began last before that time, and what was last said of it. */
function walked(feed: readonly FeedRow[], address: string, at: number): string | undefined {
  let last: FeedRow | undefined;
  for (const one of feed) if (one.address === address && one.starts <= at) last = one;
  return last && `${last.mac} ${at < last.until ? "bound" : "lapsed"}`;
}

test("who had an address at any moment is what the feed, walked from its start, says of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 5 }), async (rounds) => {
      for (const { batches, rests } of rounds) {
        await Promise.all(batches.map((requests, n) => stores[n]!.commit(requests, "law")));
        if (rests) await site.sql("UPDATE ipam.lease SET reusable_at = now() WHERE state <> 'bound'");
      }
    }),
    { numRuns: 25 },
  );
  await site.drained();
  const feed = await told();
  const kept = async (): Promise<boolean> =>
    (await site.sql("SELECT 1 FROM ipam.chronicle WHERE position = (SELECT max(position) FROM ipam.feed)")).length ===
    1;
  while (!(await kept())) await new Promise((resolve) => setTimeout(resolve, 5));
  const moments = [...new Set(feed.flatMap(({ starts, until }) => [starts + 1, until - 1, until + 1]))];
  for (const address of [20, 21, 22, 23].map((n) => `10.0.0.${n}`)) {
    for (const at of moments.filter((_, n) => n % Math.ceil(moments.length / 60) === 0)) {
      const { tenancies } = await history.whoHad(ip(address), at);
      const [first] = tenancies.map(({ mac, is }) => `${mac} ${is}`);
      assert.equal(first, walked(feed, address, at), `${address} at ${new Date(at).toISOString()}`);
    }
  }
  assert.ok(
    feed.some(({ mac }) => mac === formatMac(stranger(3))),
    "all of them were there",
  );
});
