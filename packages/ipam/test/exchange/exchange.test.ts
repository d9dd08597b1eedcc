/** Sheets in CSV, JSON and YAML: what goes out comes in again, all of it or nothing. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import * as fc from "fast-check";
import { render } from "../../src/exchange/format.ts";
import { FORMATS, SHEET_KINDS } from "../../src/exchange/index.ts";
import { house, said } from "./lab.ts";
import { SITE } from "../ground.ts";
import { sheet } from "./sheets.ts";

const site = await house();
after(() => site[Symbol.asyncDispose]());

/** What the sheets' segments ask for a VLAN. */
await site.store.putPool({ name: "numbers", is: "integer", ranges: ["100-199"], excluded: [] }, "operator/ada");

test("what goes out comes in again on an empty site, and a second time changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record(Object.fromEntries(SHEET_KINDS.map((kind) => [kind, sheet(kind, 4)]))),
      async (sheets) => {
        for (const kind of SHEET_KINDS) {
          const text = render(kind, "csv", sheets[kind]!);
          const first = await site.put(kind, text);
          assert.deepEqual(said(first.faults), [], text);
          for (const format of FORMATS) {
            const out = await site.exchange.export(kind, format);
            const again = await site.put(kind, out, format);
            assert.deepEqual([said(again.faults), again.rows], [[], []], out);
            assert.equal(await site.exchange.export(kind, format), out);
          }
          assert.deepEqual((await site.put(kind, text)).rows, []);
        }
        await site.sql("DELETE FROM ipam.name");
        await site.sql("DELETE FROM ipam.pool_grant");
        await site.sql("DELETE FROM ipam.pool WHERE name <> 'numbers'");
        await site.sql("DELETE FROM ipam.pool_free");
        await site.sql("INSERT INTO ipam.pool_free SELECT id, '[100,200)' FROM ipam.pool");
        await site.sql("DELETE FROM ipam.interface WHERE state = 'predicted'");
        await site.sql("DELETE FROM ipam.domain WHERE name LIKE '%.x.test'");
        await site.sql("DELETE FROM ipam.reservation");
        await site.sql("DELETE FROM ipam.expected_device");
        await site.sql("DELETE FROM ipam.prefix WHERE prefix <<= '10.99.0.0/16'");
        await site.sql("DELETE FROM ipam.segment s WHERE name <> ALL ($1)", [
          SITE.ipam.segments.map(({ name }) => name),
        ]);
      },
    ),
    { numRuns: 12 },
  );
});

test("one bad row, and nothing is written; each says why", async () => {
  const before = await site.exchange.export("prefixes", "csv");
  const bad = await site.put(
    "prefixes",
    "segment,prefix,gateway,reserved\nheld,10.5.0.0/24,10.5.0.1,1\nopen,10.0.1.0/25,,1\nnone,10.6.0.0/24,,1\nclosed,10.7.0.0/30,,9\n",
  );
  assert.deepEqual(said(bad.faults), [
    "row 3, column prefix: segment open: prefix 10.0.1.0/25 overlaps 10.0.1.0/24 of segment closed in vrf default",
    "row 4, column segment: there is no segment none",
    "row 5, column reserved: more addresses are reserved than the prefix has: " +
      (bad.faults[2]?.because.split(": ")[1] ?? ""),
  ]);
  assert.equal(await site.exchange.export("prefixes", "csv"), before);
});

test("a dry run says what would be, and it is not", async () => {
  const text = "name,domain,vlan,mtu\nopen,lab.test,12,9000\nfresh,lab.test,,\nheld,lab.test,,\n";
  const dry = await site.exchange.import({ kind: "segments", format: "csv", text, isDryRun: true }, "operator/ada");
  assert.deepEqual(
    dry.rows.map(({ row, key, did }) => [row, key, did]),
    [
      [2, "open", "changed"],
      [3, "fresh", "created"],
    ],
  );
  assert.deepEqual(dry.rows[0]!.changed, [
    { column: "mtu", before: "1500", after: "9000" },
    { column: "vlan", before: "", after: "12" },
  ]);
  assert.equal(dry.unchanged, 1);
  assert.deepEqual(await site.sql("SELECT FROM ipam.segment WHERE name = 'fresh' OR vlan = 12"), []);
  assert.deepEqual((await site.put("segments", text)).rows, dry.rows);
  const [row] = await site.sql("SELECT vlan, mtu FROM ipam.segment WHERE name = 'open'");
  assert.deepEqual(row, { vlan: 12, mtu: 9000 });
  const [change] = await site.sql(
    "SELECT actor FROM ipam.change_pending WHERE kind = 'segment' ORDER BY version DESC LIMIT 1",
  );
  assert.deepEqual(change, { actor: "operator/ada" });
});

test("an address that is held is not reserved for another, nor declared", async () => {
  await site.store.commit(
    [{ do: "bind", segment: site.segments["open"]!, identity: 0x02ff00000001, address: 0x0a000014, leaseSeconds: 600 }],
    "dhcpd",
  );
  const reserved = await site.put(
    "reservations",
    "segment,address,mac\nopen,10.0.0.20,02:00:00:00:07:07\nopen,10.0.0.1,02:00:00:00:07:08\n",
  );
  assert.deepEqual(said(reserved.faults), [
    "row 2, column address: segment open: address 10.0.0.20 is held by 02:ff:00:00:00:01",
    "row 3, column address: segment open: address 10.0.0.1 is not one the segment may give",
  ]);
  const expected = await site.put(
    "expected",
    "mac,machine,role,address\n02:00:00:00:07:07,m7,host,\n02:00:00:00:07:08,m8,host,10.0.0.20\n02:00:00:00:07:09,m9,host,10.0.0.1\n",
  );
  assert.deepEqual(said(expected.faults), [
    "row 3, column address: expected device 02:00:00:00:07:08: address 10.0.0.20 is held by 02:ff:00:00:00:01",
    "row 4, column address: expected device 02:00:00:00:07:09: address 10.0.0.1 is gateway, reserved, excluded, network or broadcast of segment open",
  ]);
  const overlapping = "segment,prefix\nheld,10.0.0.0/25\nheld,10.8.0.0/24\nheld,10.0.1.128/25\n";
  assert.deepEqual(said((await site.put("prefixes", overlapping)).faults), [
    "row 2, column prefix: segment held: prefix 10.0.0.0/25 overlaps 10.0.0.0/24 of segment open in vrf default",
    "row 4, column prefix: segment held: prefix 10.0.1.128/25 overlaps 10.0.1.0/24 of segment closed in vrf default",
  ]);
});

test("a reservation changes hands, and a device without a label is named as the file would name it", async () => {
  await site.put("reservations", "segment,address,mac\nheld,10.0.2.30,02:00:00:00:08:01\n");
  const { rows } = await site.put("reservations", "segment,address,clientId\nheld,10.0.2.30,box-7\n");
  assert.deepEqual(rows[0]?.changed, [
    { column: "mac", before: "02:00:00:00:08:01", after: "" },
    { column: "clientId", before: "", after: "0x626f782d37" },
  ]);
  await site.put("expected", "mac,machine,role\n02-00-00-00-08-01,m8,host\n02:00:00:00:08:02,m8,host_bmc\n");
  assert.deepEqual(await site.sql("SELECT label FROM ipam.expected_device WHERE machine = 'm8' ORDER BY mac"), [
    { label: "m8" },
    { label: "m8-bmc" },
  ]);
});

test("domains, pools and records come in as they came out, with the row and column of what cannot be", async () => {
  const bad = await site.put(
    "names",
    "owner,type,data,ttlSeconds\nwww.lab.test.,A,10.0.0.5,30\nWWW.lab.test,CNAME,x.lab.test,\nx.else.test,A,10.0.0.6,\nb b,A,1,\n",
  );
  assert.deepEqual(said(bad.faults), ["row 5, column owner: want a fully qualified host name"]);
  const refused = await site.put(
    "names",
    "owner,type,data\nwww.lab.test,A,10.0.0.5\nwww.lab.test,CNAME,x.lab.test\nx.else.test,A,10.0.0.6\n",
  );
  assert.deepEqual(said(refused.faults), [
    "row 3, column type: name www.lab.test has A records: a CNAME stands alone",
    "row 4, column domain: name x.else.test: there is no domain above it",
  ]);
  assert.deepEqual(said((await site.put("domains", "name,nameServers\nelse.test,ns1 ns2\n")).faults), []);
  const put = await site.put("names", "owner,type,data\nwww.lab.test,A,10.0.0.5\nx.else.test,A,10.0.0.6\n");
  assert.deepEqual([said(put.faults), put.rows.length], [[], 2]);
  assert.equal(
    await site.exchange.export("names", "csv"),
    "owner,type,data,ttlSeconds,domain\nwww.lab.test,A,10.0.0.5,60,lab.test\nx.else.test,A,10.0.0.6,60,else.test\n",
  );
  const again = await site.put("names", "owner,type,data,ttlSeconds,domain\nx.else.test,A,10.0.0.6,90,\n");
  assert.deepEqual(again.rows[0]?.changed, [{ column: "ttlSeconds", before: "60", after: "90" }]);
});

test("a pool's ranges have one form, and one that would lose a value that was given stays as it is", async () => {
  const text = "name,kind,length,ranges,excluded\nvlans,integer,,110-120 100-109 115-130,105\nasns,integer,48,1-9,\n";
  assert.deepEqual(said((await site.put("pools", text)).faults), [
    "row 3, column length: length is for prefix pools, and they need it",
  ]);
  const put = await site.put("pools", "name,kind,ranges,excluded\nvlans,integer,110-120 100-109 115-130,105\n");
  assert.deepEqual(
    put.rows[0]?.changed.map(({ column, after }) => [column, after]),
    [
      ["name", "vlans"],
      ["kind", "integer"],
      ["ranges", "100-130"],
      ["excluded", "105"],
    ],
  );
  await site.store.allocate({ pool: "vlans", owner: "rack1", wanted: "130" }, "operator/ada");
  const shrunk = await site.put("pools", "name,kind,ranges\nvlans,integer,100-129\nmore,ipv4,fd00::/64\n");
  assert.deepEqual(said(shrunk.faults), ["row 3, column ranges: fd00::/64: want IPv4"]);
  assert.deepEqual(said((await site.put("pools", "name,ranges\nvlans,100-129\n")).faults), [
    "row 2, column ranges: pool vlans: 130 is given to rack1",
  ]);
  assert.deepEqual(said((await site.put("pools", "name,kind,ranges,excluded\nvlans,ipv4,10.0.0.1,\n")).faults), [
    "row 2, column kind: pool vlans: a pool stays what it is (integer): make another one",
  ]);
});

test("two reservations swap in one sheet; an identity has one address of a family in a segment", async () => {
  const [one, two] = ["02:00:00:00:09:01", "02:00:00:00:09:02"];
  await site.put("reservations", `segment,address,mac\nheld,10.0.2.61,${one}\nheld,10.0.2.62,${two}\n`);
  const swapped = await site.put("reservations", `segment,address,mac\nheld,10.0.2.61,${two}\nheld,10.0.2.62,${one}\n`);
  assert.deepEqual([said(swapped.faults), swapped.rows.map(({ did }) => did)], [[], ["changed", "changed"]]);
  assert.deepEqual(
    await site.sql(
      "SELECT host(address) AS at, identity FROM ipam.reservation WHERE address >= '10.0.2.61' AND address <= '10.0.2.62' ORDER BY 1",
    ),
    [
      { at: "10.0.2.61", identity: `mac ${two}` },
      { at: "10.0.2.62", identity: `mac ${one}` },
    ],
  );
  const twice = await site.put("reservations", `segment,address,mac\nheld,10.0.2.63,${one}\nheld,10.0.2.64,${one}\n`);
  assert.deepEqual(said(twice.faults), [`row 3: IPv4 of mac ${one} in segment held is in row 2 already`]);
});

const macOf = (n: number): string =>
  `02:10:00:00:${(n >> 8).toString(16).padStart(2, "0")}:${(n & 255).toString(16).padStart(2, "0")}`;

test("ten thousand reservations, expected devices or records are written in sets", async (t) => {
  await site.put("segments", "name,domain\nbig,lab.test\n");
  await site.put("prefixes", "segment,prefix\nbig,10.64.0.0/16\n");
  const lines = Array.from({ length: 10_000 }, (_, n) => n + 256);
  const sheets = {
    reservations: ["segment,address,mac", ...lines.map((n) => `big,10.64.${n >> 8}.${n & 255},${macOf(n)}`)],
    expected: ["mac,machine,role", ...lines.map((n) => `${macOf(n)},m${n},host`)],
    names: ["owner,type,data", ...lines.map((n) => `n${n}.lab.test,A,10.64.${n >> 8}.${n & 255}`)],
  };
  for (const kind of ["reservations", "expected", "names"] as const) {
    const started = performance.now();
    const { faults, rows } = await site.put(kind, `${sheets[kind].join("\n")}\n`);
    t.diagnostic(`10,000 ${kind}: ${Math.round(performance.now() - started)} ms`);
    assert.deepEqual([said(faults), rows.length], [[], 10_000]);
  }
});
