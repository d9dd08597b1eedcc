import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as law, asyncProperty, constantFrom, integer, oneof, record as fields } from "fast-check";
import type { Row } from "@firstlight/ipam";
import { domain, iface, lease, name, prefix, segment, siteOf, answerTexts } from "@firstlight/kit";
import { RCODES } from "@firstlight/wire/dns";
import { Authority } from "../src/authority.ts";
import { createBuilder } from "../src/builder.ts";
import { ask } from "./zone.ts";

const SEED = { seed: 5, nsAddresses: ["127.0.0.53"] };
const GROUND: readonly Row[] = [domain(), segment(), prefix({ prefix: "127.64.0.0/16" })];

/** So many hosts of one prefix: 127.64.0.1 and on. */
function hosts(count: number): Row[] {
  return Array.from({ length: count }, (_, n) => n + 1).flatMap((id) => [
    iface({ id, identity: id }),
    lease({ address: addressOf(id), interface: id, identity: id }),
  ]);
}

function addressOf(n: number): string {
  return `127.64.${n >> 8}.${n & 255}`;
}

function hostOf(n: number): string {
  return `${addressOf(n).replaceAll(".", "-")}.lab.test`;
}

/** The zones over a replica, built no further than the test says. */
async function unhurried(rows: readonly Row[]) {
  const site = await siteOf(rows);
  const kept = new Authority(site.replica, SEED);
  const following = site.replica.follow((event) => void kept.take(event));
  return {
    kept,
    site,
    async push(...rows: readonly Row[]) {
      site.source.push(...rows);
      await site.settled();
    },
    /** `A 127.64.0.1`, or why there is none. */
    of(asked: string, type: "A" | "PTR" | "SOA" = "A", zones = kept.zones) {
      const message = ask(zones, { name: asked, type });
      return answerTexts(message).toSorted().join() || RCODES.name(message.rcode);
    },
    async [Symbol.asyncDispose]() {
      following[Symbol.dispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

test("while zones are built anew the old ones answer, and no step places more names than it may", async () => {
  await using on = await unhurried([...GROUND, ...hosts(500)]);
  const { serial, names } = on.kept.zones;
  await on.push(prefix({ id: 2, prefix: "127.70.0.0/16" }));
  let steps = 0;
  for (let because: string | undefined; because === undefined; steps++) {
    assert.equal(on.of(hostOf(1 + (steps % 500))), `A ${addressOf(1 + (steps % 500))}`);
    assert.equal(on.of("70.127.in-addr.arpa", "SOA"), "REFUSED");
    assert.equal(on.kept.zones.serial, serial);
    const before = on.kept.building;
    because = on.kept.advance(20);
    if (because === undefined)
      assert.ok(on.kept.building - before <= 20 * 3, "a host, its pointer, a label in between");
    else assert.equal(because, "prefix 2 changed");
  }
  assert.ok(steps >= 1000 / 20, `${steps} steps`);
  assert.match(on.of("70.127.in-addr.arpa", "SOA"), /^SOA ns1/);
  assert.equal(on.of(hostOf(77)), `A ${addressOf(77)}`);
  assert.equal(on.kept.zones.names.count, names.count + 1, "one more apex");
  assert.equal(on.kept.zones.serial, serial + 1);
  assert.equal(on.kept.building, 0);
});

test("what changes meanwhile is answered at once, by the old zones and by the new", async () => {
  await using on = await unhurried([...GROUND, ...hosts(100)]);
  await on.push(prefix({ id: 2, prefix: "127.70.0.0/16" }));
  on.kept.advance(60);
  await on.push(lease({ address: addressOf(3), interface: 3, identity: 3, state: "released" }));
  await on.push(name({ id: 9, owner: "late.lab.test", data: "127.64.9.9" }), ...hosts(101).slice(-2));
  const told = (): string[] => [on.of(hostOf(3)), on.of("late.lab.test"), on.of(hostOf(101)), on.of(hostOf(100))];
  const now = ["NXDOMAIN", "A 127.64.9.9", `A ${addressOf(101)}`, `A ${addressOf(100)}`];
  assert.deepEqual(told(), now);
  while (on.kept.advance(7) === undefined) assert.deepEqual(told(), now);
  assert.deepEqual(told(), now);
  assert.equal(on.kept.zones.serial, on.site.replica.dnsPosition);
});

test("zones that are reshaped again before they are built begin anew, and at last are built in one go", async () => {
  await using on = await unhurried([...GROUND, ...hosts(20)]);
  let built = 0;
  for (let id = 2; id < 40; id++) {
    await on.push(prefix({ id, prefix: `127.${64 + id}.0.0/16` }));
    if (on.kept.advance(1) !== undefined) built++;
  }
  assert.ok(built >= 3, `${built} times`);
  while (on.kept.building > 0) on.kept.advance(100);
  assert.match(on.of("103.127.in-addr.arpa", "SOA"), /^SOA/);
});

test("any order of changes and steps leads to what a fresh start would build", async () => {
  const small = integer({ min: 1, max: 6 });
  const act = oneof(
    fields({ do: constantFrom("step" as const), n: integer({ min: 1, max: 9 }) }),
    fields({ do: constantFrom("bind" as const, "release" as const, "label" as const, "alias" as const), n: small }),
    fields({ do: constantFrom("prefix" as const, "domain" as const), n: small }),
  );
  const rows: Readonly<Record<string, (n: number) => Row>> = {
    bind: (n) => lease({ address: addressOf(n), interface: n, identity: n }),
    release: (n) => lease({ address: addressOf(n), interface: n, identity: n, state: "released" }),
    label: (n) => iface({ id: n, identity: n, label: `node-${n % 3}` }),
    alias: (n) => name({ id: n, owner: `www${n % 2}.lab.test`, data: `127.64.1.${n}` }),
    prefix: (n) => prefix({ id: 1 + n, prefix: `127.${70 + n}.0.0/16` }),
    domain: (n) => domain({ ttlSeconds: 60 + n }),
  };
  await law(
    asyncProperty(array(act, { maxLength: 40 }), async (acts) => {
      await using on = await unhurried([...GROUND, ...hosts(6)]);
      for (const { do: what, n } of acts) {
        if (what === "step") on.kept.advance(n);
        else await on.push(rows[what]!(n));
      }
      while (on.kept.building > 0) on.kept.advance(5);
      const anew = new Authority(on.site.replica, SEED).zones;
      assert.equal(on.kept.zones.names.count, anew.names.count);
      const pointers = [1, 2, 3, 4, 5, 6].map((n) => `${n}.0.64.127.in-addr.arpa`);
      for (const asked of [...pointers.map((_, n) => hostOf(n + 1)), "node-0.lab.test", "www0.lab.test", "lab.test"])
        assert.equal(on.of(asked), on.of(asked, "A", anew));
      for (const asked of pointers) assert.equal(on.of(asked, "PTR"), on.of(asked, "PTR", anew));
      assert.equal(on.kept.zones.serial, anew.serial);
    }),
    { numRuns: 60 },
  );
});

test("everybody has a turn between two steps of the builder", async () => {
  await using on = await unhurried([...GROUND, ...hosts(1000)]);
  const { promise, resolve } = Promise.withResolvers<number>();
  await using builder = createBuilder(on.kept, (_because, turns) => resolve(turns));
  await on.push(prefix({ id: 2, prefix: "127.70.0.0/16" }));
  builder.begin();
  builder.begin(); // under way already
  let others = 0;
  let isBuilt = false;
  const other = (): void => {
    others++;
    if (!isBuilt) setImmediate(other);
  };
  setImmediate(other);
  const turns = await promise;
  isBuilt = true;
  assert.ok(turns >= 20, `${turns} turns`);
  assert.ok(others >= turns - 1, `${others} of ${turns}`);
});
