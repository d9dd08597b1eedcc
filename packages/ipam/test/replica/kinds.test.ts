/** A replica of some kinds of rows, on a real database. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { systemClock } from "@firstlight/service";
import { createReplica, type Following } from "../../src/feed/follower.ts";
import { PgSource } from "../../src/feed/postgres.ts";
import type { Kind } from "../../src/model/model.ts";
import { bind, ground, ip, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
parts.use(site.sequencer());
const folder = mkdtempSync(join(tmpdir(), "firstlight-kinds-"));
parts.defer(() => rmSync(folder, { recursive: true, force: true }));
const open = site.segments["open"]!;
const snapshotFile = join(folder, "replica");

/** A replica of these kinds, and the messages of its log. */
async function replicaOf(kinds: readonly Kind[]): Promise<Following & { readonly messages: readonly object[] }> {
  const messages: object[] = [];
  const log = {
    info: (fields: object, message: string) => void messages.push({ message, ...fields }),
    warn: (fields: object, message: string) => void messages.push({ message, ...fields }),
  };
  await using owned = new AsyncDisposableStack();
  const source = owned.use(new PgSource({ url: site.url, name: "kinds" }, kinds));
  const following = owned.use(await createReplica(source, systemClock, { snapshotFile, kinds, log }));
  const kept = owned.move();
  return { ...following, messages, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a replica of leases holds leases only, and its position passes over changes of other kinds", async () => {
  await site.store.commit([bind(open, stranger(1), "10.0.0.21")], "test");
  await site.drained();
  await using some = await replicaOf(["lease"]);
  assert.equal(some.replica.lease(ip("10.0.0.21"))?.identity, stranger(1));
  assert.deepEqual([...some.replica.segments()], []);
  assert.equal(some.replica.interface(open, stranger(1)), undefined);
  const { position } = some.replica.at;
  await site.store.commit([bind(open, stranger(2), "10.0.0.22")], "test"); // an interface and a lease
  await site.drained();
  await until(() => some.replica.lease(ip("10.0.0.22")) !== undefined);
  assert.ok(some.replica.at.position >= position + 2);
  assert.equal(some.replica.interface(open, stranger(2)), undefined);
});

test("a replica goes on from its snapshot of the same kinds without a gap", async () => {
  await site.store.commit([bind(open, stranger(3), "10.0.0.23")], "test");
  await site.drained();
  await using some = await replicaOf(["lease"]);
  assert.ok(some.messages.some((line) => "message" in line && line.message === "snapshot loaded"));
  assert.ok(!some.messages.some((line) => "message" in line && line.message === "replica loaded"));
  await until(() => some.replica.lease(ip("10.0.0.23")) !== undefined);
  assert.equal([...some.replica.leases()].length, 3);
});

test("a snapshot of other kinds is not used", async () => {
  await using all = await replicaOf(["interface", "lease"]);
  assert.partialDeepStrictEqual(all.messages, [
    { message: "no snapshot used", because: "it holds other kinds of rows" },
    { message: "replica loaded" },
  ]);
  assert.equal(all.replica.interface(open, stranger(1))?.segment, open);
});
