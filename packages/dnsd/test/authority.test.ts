import assert from "node:assert/strict";
import { test } from "node:test";
import type { Row } from "@firstlight/ipam";
import { domain, iface, lease, name, prefix, segment, siteOf, RACK_ROWS, answerTexts } from "@firstlight/kit";
import { type Message, RCODES } from "@firstlight/wire/dns";
import { Authority } from "../src/authority.ts";
import { ask } from "./zone.ts";

const HOST = "127-64-0-12.lab.test";
const POINTER = "12.0.64.127.in-addr.arpa";

/** The zones over a replica of rows, kept as dnsd keeps them; `rebuilt` tells why they were built anew. */
async function authority(rows: readonly Row[] = RACK_ROWS, nsAddresses: readonly string[] = ["127.0.0.53"]) {
  const site = await siteOf(rows);
  const kept = new Authority(site.replica, { seed: 5, nsAddresses });
  const rebuilt: string[] = [];
  const following = site.replica.follow((event) => {
    if (!kept.take(event)) return;
    for (let because; because === undefined;) if ((because = kept.advance(3)) !== undefined) rebuilt.push(because);
  });
  return {
    kept,
    rebuilt,
    source: site.source,
    replica: site.replica,
    async after(act: () => unknown) {
      act();
      await site.settled();
    },
    of: (asked: string, type = "A" as "A" | "PTR" | "NS" | "SOA" | "AAAA" | "TXT") =>
      ask(kept.zones, { name: asked, type }),
    async [Symbol.asyncDispose]() {
      following[Symbol.dispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

const rcode = (message: Message) => RCODES.name(message.rcode);

test("a lease appears with its name and its pointer in one step, under one serial, and nothing is built anew", async () => {
  await using on = await authority([domain(), segment(), prefix(), iface()]);
  const before = on.kept.zones.serial;
  assert.equal(rcode(on.of(HOST)), "NXDOMAIN");
  await on.after(() => on.source.push(lease()));
  assert.deepEqual(answerTexts(on.of(HOST)), ["A 127.64.0.12"]);
  assert.deepEqual(answerTexts(on.of(POINTER, "PTR")), [`PTR ${HOST}`]);
  assert.equal(on.kept.zones.serial, before + 1);
  assert.deepEqual(on.rebuilt, []);
});

test("a renewal changes no serial; a release takes the name away", async () => {
  await using on = await authority();
  const { serial, names } = on.kept.zones;
  const { count } = names;
  await on.after(() => on.source.push(lease({ expiresAt: lease().expiresAt + 1000 })));
  assert.equal(on.kept.zones.serial, serial);
  await on.after(() => on.source.push(lease({ state: "released" })));
  assert.deepEqual([rcode(on.of(HOST)), rcode(on.of(POINTER, "PTR"))], ["NXDOMAIN", "NXDOMAIN"]);
  assert.equal(on.kept.zones.names.count, count - 2, "and leaves no node behind");
  assert(on.kept.zones.serial > serial);
});

test("a deleted name is gone, with what was empty above it", async () => {
  const deep = name({ id: 9, owner: "x.y.z.lab.test", data: "127.64.0.90" });
  await using on = await authority([...RACK_ROWS, deep]);
  assert.equal(rcode(on.of("y.z.lab.test")), "NOERROR");
  await on.after(() => on.source.remove(deep));
  for (const each of ["x.y.z.lab.test", "y.z.lab.test", "z.lab.test"]) assert.equal(rcode(on.of(each)), "NXDOMAIN");
});

test("a host that gets a label leaves its old name, and its pointer follows", async () => {
  await using on = await authority();
  await on.after(() => on.source.push(iface({ label: "node-1" })));
  assert.equal(rcode(on.of(HOST)), "NXDOMAIN");
  assert.deepEqual(answerTexts(on.of("node-1.lab.test")), ["A 127.64.0.12"]);
  assert.deepEqual(answerTexts(on.of(POINTER, "PTR")), ["PTR node-1.lab.test"]);
});

test("a new prefix brings its reverse zones, a new domain its own", async () => {
  await using on = await authority();
  assert.equal(rcode(on.of("70.127.in-addr.arpa", "SOA")), "REFUSED");
  await on.after(() => on.source.push(prefix({ id: 2, prefix: "127.70.0.0/16" })));
  assert.equal(answerTexts(on.of("70.127.in-addr.arpa", "SOA")).length, 1);
  await on.after(() => on.source.push(domain({ id: 2, name: "other.test" })));
  assert.deepEqual(answerTexts(on.of("other.test", "NS")), ["NS ns1.other.test"]);
  assert.equal(on.rebuilt.length, 2);
  assert.deepEqual(answerTexts(on.of(HOST)), ["A 127.64.0.12"]);
});

test("another database in the place of this one is taken over whole, and the serial goes on growing", async () => {
  await using on = await authority();
  const { serial } = on.kept.zones;
  await on.after(() => on.source.restore([domain({ name: "new.test" }), segment(), prefix()]));
  assert.equal(rcode(on.of(HOST)), "REFUSED");
  assert.equal(rcode(on.of(POINTER, "PTR")), "NXDOMAIN");
  assert(on.kept.zones.serial > serial);
});

test("every apex has its name servers, and those of ours an address: the IPAM's own, else where we listen", async () => {
  await using on = await authority([
    ...RACK_ROWS,
    domain({ id: 2, name: "b.test", nameServers: ["ns1.lab.test", "ns.far."] }),
  ]);
  assert.deepEqual(answerTexts(on.of("lab.test", "NS")), ["NS ns1.lab.test"]);
  assert.deepEqual(answerTexts(on.of("0.64.127.in-addr.arpa", "NS")), ["NS ns1.lab.test"]);
  assert.deepEqual(answerTexts(on.of("b.test", "NS")), ["NS ns1.lab.test", "NS ns.far"]);
  assert.deepEqual(answerTexts(on.of("ns1.lab.test")), ["A 127.0.0.53"]);
  await on.after(() => on.source.push(name({ id: 2, owner: "ns1.lab.test", data: "127.64.0.53" })));
  assert.deepEqual(answerTexts(on.of("ns1.lab.test")), ["A 127.64.0.53"], "the IPAM knows better");
  await on.after(() => on.source.remove(name({ id: 2, owner: "ns1.lab.test", data: "127.64.0.53" })));
  assert.deepEqual(answerTexts(on.of("ns1.lab.test")), ["A 127.0.0.53"]);
});

test("IPv6 has its names both ways", async () => {
  const rows = [domain(), segment(), prefix({ prefix: "fd00:1::/64" }), iface({ label: "six" })];
  await using on = await authority([...rows, lease({ address: "fd00:1::12" })], ["::1"]);
  assert.deepEqual(answerTexts(on.of("six.lab.test", "AAAA")), ["AAAA fd00:1::12"]);
  const pointer = `2.1.${"0.".repeat(22)}1.0.0.0.0.0.d.f.ip6.arpa`;
  assert.deepEqual(answerTexts(on.of(pointer, "PTR")), ["PTR six.lab.test"]);
  assert.deepEqual(answerTexts(on.of("ns1.lab.test", "AAAA")), ["AAAA ::1"]);
});

test("a record that DNS cannot carry is left out with its reason, and hinders no other", async () => {
  const bad = name({ id: 3, owner: "bad.lab.test", type: "SRV", data: "no numbers here" });
  const outside = name({ id: 4, owner: "www.elsewhere.test" });
  const empty = name({ id: 5, owner: "a..lab.test" });
  await using on = await authority([
    ...RACK_ROWS,
    bad,
    outside,
    empty,
    name({ id: 6, owner: "bad.lab.test", type: "TXT", data: "t" }),
  ]);
  assert.deepEqual([...on.kept.rejected.keys()].toSorted(), ["a..lab.test", "bad.lab.test", "www.elsewhere.test"]);
  assert.equal(on.kept.rejected.get("bad.lab.test"), "SRV: want: priority weight port target");
  assert.deepEqual(answerTexts(on.of("bad.lab.test", "TXT")), ["TXT t"]);
  await on.after(() => on.source.remove(bad));
  assert.deepEqual([...on.kept.rejected.keys()].toSorted(), ["a..lab.test", "www.elsewhere.test"]);
});

test("a zone whose name DNS cannot carry is left out, the others are served", async () => {
  await using on = await authority([...RACK_ROWS, domain({ id: 2, name: "a..b" })]);
  assert.equal(on.kept.rejected.get("a..b"), "empty label in name");
  assert.deepEqual(answerTexts(on.of(HOST)), ["A 127.64.0.12"]);
});

test("what the feed leaves behind is what a fresh start would build", async () => {
  await using on = await authority([domain(), segment(), prefix(), prefix({ id: 2, prefix: "127.65.0.0/24" })]);
  const owners = new Set<string>();
  for (let n = 0; n < 40; n++) {
    const id = (n % 7) + 1;
    const address = `127.6${4 + (n % 2)}.0.${10 + (n % 5)}`;
    await on.after(() =>
      on.source.push(
        iface({ id, identity: id, ...(n % 3 === 0 ? {} : { label: `node-${n % 4}` }) }),
        lease({ address, interface: id, identity: id, state: n % 4 === 3 ? "released" : "bound" }),
        name({ id, owner: `www${n % 3}.lab.test`, type: "TXT", data: `n${n}` }),
      ),
    );
    owners
      .add(`${address.replaceAll(".", "-")}.lab.test`)
      .add(`node-${n % 4}.lab.test`)
      .add(`www${n % 3}.lab.test`);
    owners.add(`${address.split(".").toReversed().join(".")}.in-addr.arpa`);
  }
  const anew = new Authority(on.replica, { seed: 5, nsAddresses: ["127.0.0.53"] });
  assert.equal(on.kept.zones.names.count, anew.zones.names.count);
  for (const owner of owners) {
    for (const type of ["A", "PTR", "TXT"] as const) {
      const then = ask(anew.zones, { name: owner, type });
      assert.deepEqual(
        [rcode(on.of(owner, type)), answerTexts(on.of(owner, type)).toSorted()],
        [rcode(then), answerTexts(then).toSorted()],
      );
    }
  }
});
