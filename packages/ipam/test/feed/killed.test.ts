/** A reader that is killed while it applies changes goes on from its snapshot: no gap, nothing loaded anew. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test, { after } from "node:test";
import { bind, ground, stranger } from "../ground.ts";
import type { Said } from "./reader.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
site.sequencer({ pollMs: 5 });
const dir = mkdtempSync(join(tmpdir(), "firstlight-reader-"));
parts.defer(() => rmSync(dir, { recursive: true, force: true }));

type Has = Extract<Said, { is: "has" }>;

/** One life of a reader: all it said until `isEnough`, and was killed. */
async function life(isEnough: (said: Said) => boolean | Promise<boolean>): Promise<Said[]> {
  const script = join(import.meta.dirname, "reader.ts");
  const reader = spawn(process.execPath, [script, site.url, join(dir, "snapshot")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(reader, "exit");
  const all: Said[] = [];
  for await (const line of createInterface({ input: reader.stdout })) {
    const said = JSON.parse(line) as Said;
    all.push(said);
    if (await isEnough(said)) break;
  }
  reader.kill("SIGKILL");
  await gone;
  return all;
}

/** Leases that are made, released and made again, until told to stop. */
function writing(): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const work = (async () => {
    for (let n = 0; !stopping.signal.aborted; n++) {
      const requests = Array.from({ length: 5 }, (_, k) => (n * 5 + k) % 100);
      const batch = requests.map((k) =>
        bind(site.segments["open"]!, stranger(k), `10.0.0.${20 + k}`, { leaseSeconds: 600 + n }),
      );
      await site.store.commit(batch, "t");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await work;
    },
  };
}

test("a reader that is killed repeatedly while it applies changes resumes without a gap and ends with the rows of the tables", async (t) => {
  const writer = writing();
  let reached = 0;
  let applied = 0;
  for (let n = 0; n < 3; n++) {
    let batches = 0;
    const all = await life((said) => said.is === "applied" && ++batches > 20);
    reached = mustFollow(all, reached);
    applied += batches;
  }
  await writer.stop();
  await site.drained();
  const [feed] = await site.sql<{ at: string }>("SELECT max(position) AS at FROM ipam.feed");
  const last = await life((said) => said.is === "has" && said.at === Number(feed!.at));
  mustFollow(last, reached);
  const rows = await site.sql<{ address: string; version: string }>(
    "SELECT host(address) AS address, version FROM ipam.lease",
  );
  assert.deepEqual(
    (last.at(-1) as Has).leases,
    Object.fromEntries(rows.map(({ address, version }) => [address, Number(version)])),
  );
  t.diagnostic(`killed 3 times after ${applied} batches, at position ${reached} at last`);
});

/** Where the reader was when it was killed. It began where its snapshot was, or, the first time, with all there was. */
function mustFollow(all: readonly Said[], before: number): number {
  const first = all[0] as Has;
  if (before > 0)
    assert.ok(first.from > 0 && first.from <= before, "from its snapshot, which is not ahead of what it did");
  if (before > 0) assert.equal(first.loads, 0, "nothing is loaded anew");
  let at = first.at;
  for (const said of all) {
    assert.notEqual(said.is, "reload", "nothing is loaded anew");
    if (said.is !== "applied") continue;
    assert.equal(said.first, at + 1, "no gap");
    at = said.last;
  }
  return at;
}
