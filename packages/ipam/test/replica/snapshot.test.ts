import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import {
  dnsName,
  untilCaughtUp,
  CLOCK_START,
  domain,
  expected,
  iface,
  lease,
  ManualClock,
  MemorySource,
  name,
  prefix,
  segment,
} from "@firstlight/kit";
import * as fc from "fast-check";
import { EVERYTHING, keyOf, type Row } from "../../src/index.ts";
import { createReplica } from "../../src/rooms/replica.ts";
import { fullKey } from "@firstlight/changefeed";
import { readSnapshot, saveSnapshot } from "../../src/replica/snapshot.ts";

const ROWS: readonly Row[] = [
  domain(),
  segment(),
  prefix(),
  prefix({ id: 2, prefix: "fd00::/64" }),
  iface(),
  lease({ clientId: Uint8Array.of(1, 2, 3), relay: { giaddr: 0x7f400001, circuitId: Uint8Array.of(9) } }),
  lease({ address: "fd00::12" }),
  name(),
  expected({ mac: 7, address: "127.64.0.77" }),
];
const KINDS = EVERYTHING.kinds;
const HEADING = { at: { epoch: "e", position: 42 }, dnsPosition: 40, completeAt: CLOCK_START, ahead: 250 };

const byKey = (rows: readonly Row[]): Map<string, Row> =>
  new Map(rows.map((row) => [fullKey(row.kind, keyOf(row)), row]));
const ignore = (): void => {};

/** A folder of the test's own. */
async function folder(): Promise<AsyncDisposable & { readonly file: string; readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "firstlight-ipam-"));
  return { path, file: join(path, "state", "dnsd.ipam"), [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("a snapshot restores rows of every kind, bigints and bytes included", async () => {
  await using at = await folder();
  await saveSnapshot(at.file, HEADING, { kinds: KINDS, count: ROWS.length, rows: ROWS });
  const rows: Row[] = [];
  const read = await readSnapshot(at.file, KINDS, (some) => rows.push(...some));
  assert(read.is === "restored");
  assert.deepEqual(read.heading, { ...HEADING, rows: ROWS.length });
  assert.equal(rows.length, ROWS.length);
  assert.deepEqual(byKey(rows), byKey(ROWS));
});

test("only the owner can read a snapshot, and no half-written file stays beside it", async () => {
  await using at = await folder();
  await saveSnapshot(at.file, HEADING, { kinds: KINDS, count: ROWS.length, rows: ROWS });
  await saveSnapshot(at.file, HEADING, { kinds: KINDS, count: ROWS.length, rows: ROWS });
  assert.equal((await stat(at.file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(at.path, "state")), ["dnsd.ipam"]);
});

test("a missing file and a folder in its place are ignored with a reason, not an error", async () => {
  await using at = await folder();
  assert.deepEqual(await readSnapshot(at.file, KINDS, ignore), { is: "ignored", because: "there is none yet" });
  assert.equal((await readSnapshot(at.path, KINDS, ignore)).is, "ignored");
});

test("a snapshot with any byte changed, or cut anywhere, is ignored", async () => {
  await using at = await folder();
  await saveSnapshot(at.file, HEADING, { kinds: KINDS, count: ROWS.length, rows: ROWS });
  const whole = await readFile(at.file);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (n, flip, cut) => {
      const bytes = cut ? whole.subarray(0, n) : Buffer.from(whole);
      if (!cut) bytes[n]! ^= flip;
      await writeFile(at.file, bytes);
      assert.equal((await readSnapshot(at.file, KINDS, ignore)).is, "ignored");
    }),
    { numRuns: 150 },
  );
});

test("a snapshot whose tuples have other columns is ignored", async () => {
  await using at = await folder();
  await saveSnapshot(at.file, HEADING, { kinds: KINDS, count: ROWS.length, rows: ROWS });
  const whole = await readFile(at.file);
  const from = whole.indexOf("\n") + 1; // the heading's frame: tag, length, checksum
  const end = from + 9 + whole.readUInt32BE(from + 1);
  const heading = deserialize(whole.subarray(from + 9, end)) as { shape: string };
  const other = serialize({ ...heading, shape: heading.shape.replace("label", "levy") });
  const head = Buffer.alloc(9, 1);
  head.writeUInt32BE(other.length, 1);
  head.writeUInt32BE(crc32(other, 1), 5);
  await writeFile(at.file, Buffer.concat([whole.subarray(0, from), head, other, whole.subarray(end)]));
  assert.deepEqual(await readSnapshot(at.file, KINDS, ignore), {
    is: "ignored",
    because: "its rows have other columns",
  });
});

test("a file of arbitrary bytes is ignored", async () => {
  await using at = await folder();
  await saveSnapshot(at.file, HEADING, { kinds: KINDS, count: ROWS.length, rows: ROWS });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      await writeFile(at.file, Buffer.concat([Buffer.from("firstlight ipam snapshot 5\n"), bytes]));
      assert.equal((await readSnapshot(at.file, KINDS, ignore)).is, "ignored");
    }),
    { numRuns: 100 },
  );
});

test("a daemon starts from its snapshot while the database is away, reports its age, and catches up later", async () => {
  await using at = await folder();
  const clock = new ManualClock();
  const source = new MemorySource(ROWS, clock);
  const options = { snapshotFile: at.file, backoff: { baseMs: 1, maxMs: 2 }, pollMs: 5 };
  const first = await createReplica(source, clock, options);
  source.push(lease({ address: "127.64.0.13" }));
  await untilCaughtUp(first.replica, source);
  await first.follower.stop();

  clock.advance(60_000);
  source.down = new Error("connection refused");
  const second = await createReplica(source, clock, options);
  assert.equal(second.replica.at.position, 1);
  assert.equal(second.replica.lease(0x7f40000d)?.state, "bound");
  assert.equal(second.replica.stalenessMs(), 60_000);
  assert.equal(second.ready().ready, true);
  assert.equal(second.ready().because, "database-away");

  source.down = undefined;
  source.push(lease({ address: "127.64.0.13", state: "released" }));
  await untilCaughtUp(second.replica, source);
  assert.equal(second.replica.lease(0x7f40000d)?.state, "released");
  assert.equal(source.loads, 1, "it went on where the snapshot stood");
  await second.follower.stop();
});

test("a snapshot of another epoch is replaced by a load", async () => {
  await using at = await folder();
  await saveSnapshot(at.file, HEADING, { kinds: KINDS, count: ROWS.length, rows: ROWS });
  const source = new MemorySource([domain({ name: "other.test" })]);
  await using following = await createReplica(source, new ManualClock(), { snapshotFile: at.file });
  assert.equal(following.replica.domainNamed(dnsName("lab.test")), undefined);
  assert.equal(following.replica.domainNamed(dnsName("other.test"))?.id, 1);
});

test("a snapshot that cannot be written is logged as a warning, and the daemon goes on", async () => {
  await using at = await folder();
  await writeFile(join(at.path, "state"), "a file where the folder should be");
  const said: string[] = [];
  const log = { info: (): void => undefined, warn: (_: object, message: string): void => void said.push(message) };
  const following = await createReplica(new MemorySource(ROWS), new ManualClock(), { snapshotFile: at.file, log });
  await following.follower.stop();
  assert(said.includes("snapshot not written"));
  assert.equal(following.ready().ready, true);
});
