/** Sheets in CSV, JSON and YAML: what goes out comes in again, all of it or nothing. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import * as fc from "fast-check";
import { Pool } from "pg";
import {
  createExchange,
  type Exchange,
  faultText,
  type Format,
  FORMATS,
  SHEET_KINDS,
  type SheetKind,
} from "../src/exchange/index.ts";
import { read, render } from "../src/exchange/format.ts";
import { compare, judge } from "../src/exchange/judge.ts";
import { KINDS, keyOfCells } from "../src/exchange/kinds.ts";
import { byKey } from "../src/exchange/stored.ts";
import { ground, SITE } from "./ground.ts";

/** An exchange on a small site of its own. */
async function house() {
  await using parts = new AsyncDisposableStack();
  const site = parts.use(await ground());
  const pool = parts.adopt(new Pool({ connectionString: site.url, max: 2 }), (pool) => pool.end());
  const exchange = parts.adopt(createExchange(pool), (exchange) => exchange.close());
  const owned = parts.move();
  return { ...site, exchange, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const site = await house();
after(() => site[Symbol.asyncDispose]());

const put = (exchange: Exchange, kind: SheetKind, text: string, format: Format = "csv") =>
  exchange.import({ kind, format, text, isDryRun: false }, "operator/ada");

const said = (faults: readonly Parameters<typeof faultText>[0][]): string[] => faults.map(faultText);

/** Cells of each kind, in their one form. */
const octet = fc.integer({ min: 1, max: 250 });
const address = fc.tuple(octet, octet).map(([a, b]) => `10.9.${a}.${b}`);
const mac = octet.map((n) => `02:00:00:00:00:${n.toString(16).padStart(2, "0")}`);
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const maybe = (of: fc.Arbitrary<string>) => fc.oneof(fc.constant(""), of);
const list = (of: fc.Arbitrary<string>) =>
  fc.array(of, { minLength: 0, maxLength: 3 }).map((items) => (items.length === 0 ? "[]" : items.join(" ")));
const words = (...all: string[]) => fc.constantFrom(...all);
const whole = (min: number, max: number) => fc.integer({ min, max }).map(String);
const hex = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);
const nobody = { mac: "", uuid: "", clientId: "", relay: "", circuitId: "", remoteId: "" };

const CELLS = {
  segments: fc.record(
    {
      name: label,
      kind: words("underlay", "admin", "tenant", "host_inband"),
      domain: words("lab.test"),
      vrf: fc.stringMatching(/^[a-z][ a-z"',;\n-]{0,10}[a-z]$/),
      mtu: whole(576, 9216),
      vlan: maybe(whole(1, 4094)),
      vni: maybe(whole(1, 16_777_215)),
      leaseSeconds: whole(60, 100_000),
      graceSeconds: whole(0, 100_000),
      admission: words("open", "expected"),
      allocation: words("dynamic", "sequential", "reserved"),
      policy: words("dynamic", "fixed", "retained", "preserved"),
      naming: words("address", "mac"),
      boots: words("true", "false"),
      routers: fc.oneof(fc.constant(""), list(address)),
      domainNameServers: fc.oneof(fc.constant(""), list(address)),
      ntpServers: fc.oneof(fc.constant(""), list(address)),
      domainSearch: fc.oneof(fc.constant(""), list(label)),
      staticRoutes: fc.oneof(fc.constant(""), list(address.map((via) => `10.0.0.0/8=${via}`))),
    },
    { noNullPrototype: true },
  ),
  prefixes: octet.map((n) => ({
    segment: "open",
    prefix: `10.99.${n}.0/24`,
    gateway: n % 2 === 0 ? `10.99.${n}.1` : "",
    reserved: String(n % 5),
    reservedRanges: n % 4 === 0 ? `10.99.${n}.50-10.99.${n}.60 10.99.${n}.70-10.99.${n}.70` : "[]",
    excluded: n % 3 === 0 ? `10.99.${n}.7 10.99.${n}.9` : "[]",
  })),
  reservations: fc
    .tuple(
      octet,
      fc.oneof(
        mac.map((mac) => ({ ...nobody, mac })),
        fc.uuid({ version: 4 }).map((uuid) => ({ ...nobody, uuid })),
        hex.map((clientId) => ({ ...nobody, clientId })),
        fc.record({ relay: address, circuitId: hex, remoteId: maybe(hex) }).map((port) => ({ ...nobody, ...port })),
      ),
    )
    .map(([n, identity]) => ({ segment: "held", address: `10.0.2.${n}`, ...identity })),
  expected: fc.record(
    {
      mac,
      machine: label,
      role: words("host", "host_bmc", "dpu_bmc", "dpu_oob", "other"),
      serial: maybe(fc.stringMatching(/^[A-Z0-9 ",-]{0,10}[A-Z0-9]$/)),
      label,
      address: maybe(octet.map((n) => `10.0.4.${n}`)),
    },
    { noNullPrototype: true },
  ),
} satisfies Record<SheetKind, fc.Arbitrary<Record<string, string>>>;

/** Some rows of a kind of which none names what another names. */
const sheet = (kind: SheetKind, maxLength = 6) =>
  fc.uniqueArray(CELLS[kind] as fc.Arbitrary<Record<string, string>>, {
    maxLength,
    comparator: (a, b) =>
      Object.keys(a).some((name) => UNIQUE.has(`${kind}.${name}`) && a[name] !== "" && a[name] === b[name]),
  });
const UNIQUE = new Set([
  "segments.name",
  "prefixes.prefix",
  ...["address", "mac", "uuid", "clientId", "circuitId"].map((name) => `reservations.${name}`),
  ...["mac", "label", "address", "machine"].map((name) => `expected.${name}`),
]);

for (const kind of SHEET_KINDS)
  for (const format of FORMATS)
    test(`what ${kind} are written as in ${format} is read as they were`, () => {
      fc.assert(
        fc.property(sheet(kind), (rows) => {
          const text = render(kind, format, rows);
          const { lines, faults } = read(format, text);
          const judged = judge(kind, lines);
          assert.deepEqual([...faults, ...judged.faults], []);
          assert.deepEqual(
            judged.lines.map(({ cells }) => cells),
            rows,
          );
          const { wanted } = compare(kind, byKey(kind, rows), judged.lines, (cells) => keyOfCells(kind, cells));
          assert.ok(wanted.every(({ changed }) => changed.length === 0));
          assert.equal(
            render(
              kind,
              format,
              wanted.map(({ cells }) => cells),
            ),
            text,
          );
        }),
        { numRuns: 50 },
      );
    });

test("any text is lines or faults", () => {
  const any = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.constantFrom('a,"b', "- &a [*a]", "[[[[", "{a: !!js 1}"),
  );
  fc.assert(
    fc.property(fc.constantFrom(...FORMATS), fc.constantFrom(...SHEET_KINDS), any, (format, kind, text) => {
      const { lines, faults } = read(format, text);
      assert.ok(faults.every(({ because }) => because.length > 0));
      judge(kind, lines);
    }),
  );
});

test("every fault is said with its row and column, and more than one at a time", () => {
  const text = 'name,domain,mtu,vlan,colour\nbmc,lab.test,12,5000,red\n,lab.test,1500,,\nb b,,x,,"1\n2"\n';
  const { lines } = read("csv", text);
  assert.deepEqual(said(judge("segments", lines).faults), [
    "row 2, column mtu: too small: expected number to be >=576",
    "row 2, column vlan: too big: expected number to be <=4094",
    `row 2, column colour: is no column of segments: want ${Object.keys(KINDS.segments.columns).join(", ")}`,
    "row 3, column name: must not be empty",
    "row 4, column name: want a host label: letters, digits, hyphens",
    "row 4, column domain: must not be empty",
    "row 4, column mtu: expected number, received string",
  ]);
});

test("what goes out comes in again on an empty site, and a second time changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(
      sheet("segments", 3),
      sheet("prefixes", 4),
      sheet("reservations", 4),
      sheet("expected", 4),
      async (...sheets) => {
        for (const [n, kind] of SHEET_KINDS.entries()) {
          const text = render(kind, "csv", sheets[n]!);
          const first = await put(site.exchange, kind, text);
          assert.deepEqual(said(first.faults), [], text);
          for (const format of FORMATS) {
            const out = await site.exchange.export(kind, format);
            const again = await put(site.exchange, kind, out, format);
            assert.deepEqual([said(again.faults), again.rows], [[], []], out);
            assert.equal(await site.exchange.export(kind, format), out);
          }
          assert.deepEqual((await put(site.exchange, kind, text)).rows, []);
        }
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
  const bad = await put(
    site.exchange,
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
  assert.deepEqual((await put(site.exchange, "segments", text)).rows, dry.rows);
  const [row] = await site.sql("SELECT vlan, mtu FROM ipam.segment WHERE name = 'open'");
  assert.deepEqual(row, { vlan: 12, mtu: 9000 });
  const [change] = await site.sql(
    "SELECT actor FROM ipam.change_pending WHERE kind = 'segment' ORDER BY version DESC LIMIT 1",
  );
  assert.deepEqual(change, { actor: "operator/ada" });
});

test("an address that is held is not reserved for another, nor declared", async () => {
  await site.store.commit(
    [{ do: "bind", segment: site.segments["open"]!, mac: 0x02ff00000001, address: 0x0a000014, leaseSeconds: 600 }],
    "dhcpd",
  );
  const reserved = await put(
    site.exchange,
    "reservations",
    "segment,address,mac\nopen,10.0.0.20,02:00:00:00:07:07\nopen,10.0.0.1,02:00:00:00:07:08\n",
  );
  assert.deepEqual(said(reserved.faults), [
    "row 2, column address: segment open: address 10.0.0.20 is held by 02:ff:00:00:00:01",
    "row 3, column address: segment open: address 10.0.0.1 is not one the segment may give",
  ]);
  const expected = await put(
    site.exchange,
    "expected",
    "mac,machine,role,address\n02:00:00:00:07:07,m7,host,\n02:00:00:00:07:08,m8,host,10.0.0.20\n02:00:00:00:07:09,m9,host,10.0.0.1\n",
  );
  assert.deepEqual(said(expected.faults), [
    "row 3, column address: expected device 02:00:00:00:07:08: address 10.0.0.20 is held by 02:ff:00:00:00:01",
    "row 4, column address: expected device 02:00:00:00:07:09: address 10.0.0.1 is gateway, reserved, excluded, network or broadcast of segment open",
  ]);
  const overlapping = "segment,prefix\nheld,10.0.0.0/25\nheld,10.8.0.0/24\nheld,10.0.1.128/25\n";
  assert.deepEqual(said((await put(site.exchange, "prefixes", overlapping)).faults), [
    "row 2, column prefix: segment held: prefix 10.0.0.0/25 overlaps 10.0.0.0/24 of segment open in vrf default",
    "row 4, column prefix: segment held: prefix 10.0.1.128/25 overlaps 10.0.1.0/24 of segment closed in vrf default",
  ]);
});

test("a reservation changes hands, and a device without a label is named as the file would name it", async () => {
  await put(site.exchange, "reservations", "segment,address,mac\nheld,10.0.2.30,02:00:00:00:08:01\n");
  const { rows } = await put(site.exchange, "reservations", "segment,address,clientId\nheld,10.0.2.30,box-7\n");
  assert.deepEqual(rows[0]?.changed, [
    { column: "mac", before: "02:00:00:00:08:01", after: "" },
    { column: "clientId", before: "", after: "0x626f782d37" },
  ]);
  await put(site.exchange, "expected", "mac,machine,role\n02-00-00-00-08-01,m8,host\n02:00:00:00:08:02,m8,host_bmc\n");
  assert.deepEqual(await site.sql("SELECT label FROM ipam.expected_device WHERE machine = 'm8' ORDER BY mac"), [
    { label: "m8" },
    { label: "m8-bmc" },
  ]);
});

test("NetBox's prefixes come in: by VLAN, by name or by what is there; containers nest outside and are left out", async () => {
  await put(site.exchange, "segments", "name,domain,vlan\nnb,lab.test,320\n");
  const text = [
    "Prefix,Status,VRF,VLAN,Is a pool,Tenant,Description",
    '10.60.0.0/16,Container,,,False,acme,"all of it"',
    "10.60.1.0/24,Active,Global,racks (320),False,acme,",
    "10.0.2.0/24,Active,,,False,,",
    "10.60.9.0/28,Active,,320,True,,",
    "10.60.8.0/24,Deprecated,,320,False,,",
  ].join("\n");
  const { faults, notes, rows, unchanged } = await put(site.exchange, "prefixes", text);
  assert.deepEqual(said(faults), []);
  assert.deepEqual(said(notes), [
    "not imported: tenant, description",
    "row 2, column status: a container nests outside the prefixes of segments: left out",
    "row 5, column is_pool: a pool of NetBox is no broadcast domain: left out",
    "row 6, column status: deprecated: left out",
  ]);
  assert.deepEqual([rows.map(({ key, did }) => [key, did]), unchanged], [[["nb 10.60.1.0/24", "created"]], 1]);
  const lost = await put(
    site.exchange,
    "prefixes",
    "prefix,status,vlan,vrf\n10.61.0.0/24,active,99,\n10.62.0.0/24,active,320,red\n",
  );
  assert.deepEqual(said(lost.faults), [
    "row 2, column vlan: no segment has this VLAN: name one with --segment or a column segment",
    "row 3, column vlan: no segment has this VLAN: name one with --segment or a column segment",
  ]);
  const named = await site.exchange.import(
    { kind: "prefixes", format: "csv", text: "prefix,status\n10.61.0.0/24,active\n", isDryRun: true, segment: "nb" },
    "operator/ada",
  );
  assert.deepEqual(
    named.rows.map(({ key }) => key),
    ["nb 10.61.0.0/24"],
  );
});

test("NetBox's addresses come in: with a MAC as reservations, without one as addresses never to be given", async () => {
  const text = [
    "address,status,role,dns_name,mac_address",
    "10.0.2.101/24,active,,db1.lab.test,02:00:00:00:0a:01",
    "10.0.2.102/24,active,vip,,",
    "10.0.2.103/24,dhcp,,,",
    "10.0.2.102/24,reserved,,,",
  ].join("\n");
  const { faults, notes, rows } = await put(site.exchange, "reservations", text);
  assert.deepEqual(said(faults), []);
  assert.deepEqual(said(notes), [
    "not imported: role, dns_name",
    "row 3: 10.0.2.102 has no MAC: it becomes an excluded address of 10.0.2.0/24",
    "row 4, column status: given by DHCP: left out",
    "row 5: 10.0.2.102 has no MAC: it becomes an excluded address of 10.0.2.0/24",
  ]);
  assert.deepEqual(
    rows.map(({ row, kind, key, changed }) => [
      row,
      kind,
      key,
      changed.find(({ column }) => column === "excluded")?.after,
    ]),
    [
      [3, "prefixes", "held 10.0.2.0/24", "10.0.2.102"],
      [2, "reservations", "held 10.0.2.101", undefined],
    ],
  );
  const lost = await put(site.exchange, "reservations", "address,status\n192.0.2.1/24,active\nx,active\n");
  assert.deepEqual(said(lost.faults), [
    "row 2, column address: no prefix of vrf default holds 192.0.2.1",
    `row 3, column address: ${lost.faults[1]?.because}`,
  ]);
});
