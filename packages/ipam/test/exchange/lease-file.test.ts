/** Leases of ISC dhcpd and Kea, as their files and tables have them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import * as fc from "fast-check";
import { iscLeases, keaLeases, keaRows } from "../../src/exchange/index.ts";

const vector = (name: string): string => readFileSync(join(import.meta.dirname, "leases", name), "latin1");
const NOW = Date.UTC(2026, 10, 21, 8, 0, 0);
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("latin1");

test("of a lease file of dhcpd the last entry of an address holds, and only what is active", () => {
  const { leases, passed, faults } = iscLeases(vector("dhcpd.leases"), NOW);
  assert.deepEqual(
    leases.map(({ address, mac, expiresAt, line }) => [address, mac, new Date(expiresAt).toISOString(), line]),
    [
      ["10.9.0.20", "02:aa:00:00:00:20", "2026-11-21T09:30:00.000Z", 89],
      ["10.9.0.21", "02:aa:00:00:00:21", "2026-11-21T09:00:00.000Z", 24],
      ["10.9.0.26", "02:aa:00:00:00:26", "9999-12-31T23:59:59.000Z", 67],
    ],
  );
  assert.deepEqual(Object.fromEntries(passed), {
    "binding state free": 1,
    "binding state abandoned": 1,
    "binding state backup": 1,
    "no Ethernet address": 1,
    expired: 1,
    "of DHCPv6, by a DUID of type 1: no Ethernet address": 1,
  });
  assert.deepEqual(faults, [{ row: 110, because: "the last entry is cut off: left out" }]);
});

test("dhcpd's strings are bytes: octal, escapes, a newline in the middle; hex between colons is the same", () => {
  const [first, second] = iscLeases(vector("dhcpd.leases"), NOW).leases;
  assert.equal(hex(first?.clientId), "0102aa0000002022");
  assert.equal(text(first?.circuitId), 'eth0/1;{"a\nb\\c"}');
  assert.equal(hex(second?.circuitId), "0004000a0102");
  assert.equal(text(second?.remoteId), "sw7");
});

test("of Kea's files the last line of an address holds, over what the clean-up left too", () => {
  const { leases, passed, faults } = keaLeases([vector("kea-leases4.csv.2"), vector("kea-leases4.csv")], NOW);
  assert.deepEqual(
    leases.map(({ address, mac, expiresAt }) => [address, mac, expiresAt / 1000]),
    [
      ["10.9.0.31", "02:bb:00:00:00:31", 1795260000],
      ["10.9.0.30", "02:bb:00:00:00:30", 1795254600],
      ["10.9.0.37", "02:bb:00:00:00:37", 253402300799],
    ],
  );
  assert.deepEqual(
    [hex(leases[0]?.clientId), text(leases[0]?.circuitId), hex(leases[0]?.remoteId)],
    ["0102bb00000031", "eth0", "02cc00000001"],
  );
  assert.deepEqual([leases[1]?.clientId, text(leases[1]?.circuitId)], [undefined, "a,b"]);
  assert.deepEqual(Object.fromEntries(passed), {
    declined: 1,
    "expired and reclaimed": 1,
    deleted: 1,
    "no Ethernet address": 1,
  });
  assert.deepEqual(faults, [{ row: 9, because: "no lease: left out" }]);
});

test("rows of Kea's table are its lines in another form", () => {
  const row = {
    hwaddr: "02bb00000030",
    clientId: "01aa",
    validSeconds: 3600,
    expire: 1795260000,
    state: 0,
    userContext: "",
  };
  const { leases } = keaRows([{ ...row, address: "10.9.0.30" }], NOW);
  assert.deepEqual(leases, [
    { address: "10.9.0.30", mac: "02:bb:00:00:00:30", expiresAt: 1795260000000, clientId: Uint8Array.of(1, 0xaa) },
  ]);
});

test("any text is leases, reasons and faults", () => {
  const piece = fc.constantFrom(
    "lease ",
    "10.0.0.1 ",
    "{",
    "}",
    ";",
    '"',
    "\\",
    "\n",
    "binding state active",
    "hardware ethernet ",
    "02:aa:00:00:00:01",
    "ends never",
    "uid ",
    "#",
    ",",
    "0x",
    "expire",
    '{"ISC":{"relay-agent-info":"0x01"}}',
  );
  const any = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(piece, { maxLength: 60 }).map((all) => all.join("")),
  );
  const head =
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";
  fc.assert(
    fc.property(any, (text) => {
      for (const found of [iscLeases(text, 0), keaLeases([text], 0), keaLeases([head + text], 0)])
        assert.ok(found.leases.every(({ expiresAt }) => expiresAt > 0));
    }),
    { numRuns: 60 },
  );
});

/** Written by the real servers, with the same eight relayed clients before them. */
const REAL = [
  ["ISC dhcpd 4.4", iscLeases(vector("dhcpd-4.4.leases"), NOW), "0004000a0102"],
  ["Kea 2.2", keaLeases([vector("kea-2.2.csv")], NOW), "65746830"],
] as const;
for (const [server, found, circuit] of REAL)
  test(`what ${server} itself wrote is read in full`, () => {
    const { leases, passed, faults } = found;
    assert.deepEqual([passed.size, faults], [0, []]);
    assert.deepEqual(
      leases.map(({ address, mac }) => `${address} ${mac}`).toSorted(),
      Array.from({ length: 8 }, (_, n) => `10.0.0.${20 + n} 00:0c:01:02:03:${(4 + n).toString(16).padStart(2, "0")}`),
    );
    for (const { mac, clientId, circuitId, expiresAt } of leases) {
      assert.deepEqual([hex(clientId), hex(circuitId)], [`01${mac.replaceAll(":", "")}`, circuit]);
      assert.ok(expiresAt > NOW + 3_600_000 && expiresAt < NOW + 3 * 3_600_000);
    }
  });

test("of DHCPv6 an address is known by the MAC in its DUID or beside it; what is no interface's address is counted with its reason", () => {
  const isc = iscLeases(vector("dhcpd6.leases"), NOW);
  assert.deepEqual(
    isc.leases.map(({ address, mac, expiresAt, clientId }) => [address, mac, expiresAt, hex(clientId)]),
    [
      ["fd00::61", "02:aa:00:00:00:61", Date.UTC(2026, 10, 21, 9, 30), "ff000012340003000102aa00000061"],
      ["fd00::62", "02:aa:00:00:00:62", Date.UTC(2026, 10, 21, 9, 10), "ff000000010001000131eb9d5c02aa00000062"],
    ],
  );
  assert.deepEqual(Object.fromEntries(isc.passed), {
    "of DHCPv6: binding state released": 1,
    "of DHCPv6, by a DUID of a UUID: no Ethernet address": 1,
    "of DHCPv6: a delegated prefix, which a pool gives": 1,
    "of DHCPv6: a temporary address, which no server keeps": 1,
  });
  assert.deepEqual(isc.faults, []);
  const kea = keaLeases([vector("kea-leases6.csv")], NOW);
  assert.deepEqual(
    kea.leases.map(({ address, mac, expiresAt, clientId }) => [address, mac, expiresAt / 1000, hex(clientId)]),
    [
      ["fd00::71", "02:bb:00:00:00:71", 1795258200, "ff000012340003000102bb00000071"],
      ["fd00::72", "02:bb:00:00:00:72", 1795254600, "ff00000001000411112222333344445555666677778888"],
    ],
  );
  assert.deepEqual(Object.fromEntries(kea.passed), {
    "of DHCPv6, by a DUID of an enterprise number: no Ethernet address": 1,
    "of DHCPv6: a delegated prefix, which a pool gives": 1,
    "of DHCPv6: a temporary address, which no server keeps": 1,
    declined: 1,
    deleted: 1,
  });
  assert.deepEqual(kea.faults, [{ row: 9, because: "no lease: left out" }]);
});
