import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dataText,
  dnsName,
  domain,
  iface,
  lease,
  name,
  prefix,
  readAddress,
  readPrefix,
  segment,
  siteOf,
} from "@firstlight/kit";
import {
  addressOfReverse,
  allRecords,
  fqdnOf,
  hostLabel,
  recordsAt,
  recordsOf,
  reverseName,
  reverseZones,
  zonesOf,
} from "../../src/index.ts";
import { nameText } from "@firstlight/wire/dns";

const LAB = [domain(), segment(), prefix()];

/** Address → label as the incumbent has them, so that names survive a move to us. */
const LABELS = [
  ["192.168.1.0", "192-168-1-0"],
  ["127.64.0.12", "127-64-0-12"],
  ["2001:db8:abcd::2", "2001-0db8-abcd-0000-0000-0000-0000-0002"],
  ["::1", "0000-0000-0000-0000-0000-0000-0000-0001"],
] as const;

for (const [address, label] of LABELS) {
  test(`${address} is named ${label}`, () => {
    assert.equal(hostLabel(iface(), readAddress(address), segment()), label);
  });
}

test("an interface's label is used before any derived one, in lower case", () => {
  assert.equal(hostLabel(iface({ label: "Node-1" }), 1, segment()), "node-1");
  assert.equal(hostLabel(iface({ label: "node-1" }), 1, segment({ naming: "mac" })), "node-1");
  assert.equal(hostLabel(iface({ identity: "02:f1:00:00:00:01" }), 1, segment({ naming: "mac" })), "02-f1-00-00-00-01");
});

const ZONES = [
  ["127.64.0.0/16", ["64.127.in-addr.arpa"]],
  ["127.64.5.0/24", ["5.64.127.in-addr.arpa"]],
  ["127.64.5.64/26", ["5.64.127.in-addr.arpa"]],
  ["127.64.5.64/32", ["5.64.127.in-addr.arpa"]],
  ["10.0.0.0/8", ["10.in-addr.arpa"]],
  ["10.0.2.0/23", ["2.0.10.in-addr.arpa", "3.0.10.in-addr.arpa"]],
  ["10.16.0.0/14", ["16.10.in-addr.arpa", "17.10.in-addr.arpa", "18.10.in-addr.arpa", "19.10.in-addr.arpa"]],
  ["fd00:0:0:1::/64", ["1.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"]],
  ["fd00::/15", ["0.0.d.f.ip6.arpa", "1.0.d.f.ip6.arpa"]],
  ["fd00::/127", ["0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"]],
] as const;

for (const [text, zones] of ZONES) {
  test(`${text} is covered in reverse by ${zones.length} zone(s), the first ${zones[0]}`, () => {
    assert.deepEqual(
      reverseZones(readPrefix(text)).slice(0, 4),
      zones.map((zone) => zone),
    );
  });
}

test("a bound lease has an address record and a PTR record", async () => {
  await using site = await siteOf([...LAB, iface({ label: "node-1" }), lease()]);
  assert.deepEqual(recordsOf(site.replica, lease()), [
    { owner: dnsName("node-1.lab.test"), type: "A", data: { is: "A", address: 0x7f40000c }, ttlSeconds: 60 },
    {
      owner: dnsName("12.0.64.127.in-addr.arpa"),
      type: "PTR",
      data: { is: "PTR", host: dnsName("node-1.lab.test") },
      ttlSeconds: 60,
    },
  ]);
  assert.equal(fqdnOf(site.replica, lease()), "node-1.lab.test");
});

test("an IPv6 lease has an AAAA record and a PTR record below ip6.arpa", async () => {
  const v6 = lease({ address: "fd00::12" });
  await using site = await siteOf([...LAB, prefix({ id: 2, prefix: "fd00::/64" }), iface({ label: "node-1" }), v6]);
  const [forward, back] = recordsOf(site.replica, v6);
  assert.deepEqual(forward, {
    owner: dnsName("node-1.lab.test"),
    type: "AAAA",
    data: { is: "AAAA", address: 0xfd000000000000000000000000000012n },
    ttlSeconds: 60,
  });
  assert.equal(back?.owner, dnsName(`2.1.${"0.".repeat(28)}d.f.ip6.arpa`));
});

test("a released or declined address has no name; an expired one keeps its name until another interface gets the address", async () => {
  await using site = await siteOf([...LAB, iface()]);
  assert.deepEqual(recordsOf(site.replica, lease({ state: "released" })), []);
  assert.deepEqual(recordsOf(site.replica, lease({ state: "declined" })), []);
  assert.equal(recordsOf(site.replica, lease({ expiresAt: 0, reusableAt: 0 })).length, 2);
});

test("a TTL is never 0", async () => {
  await using site = await siteOf([
    domain({ ttlSeconds: 0, negativeTtlSeconds: 0 }),
    segment(),
    prefix(),
    iface(),
    name({ ttlSeconds: 0 }),
  ]);
  assert.deepEqual(
    recordsOf(site.replica, lease()).map(({ ttlSeconds }) => ttlSeconds),
    [1, 1],
  );
  assert.equal(recordsAt(site.replica, dnsName("www.lab.test"))[0]?.ttlSeconds, 1);
  assert.equal(zonesOf(site.replica)[0]?.soa.minimumSeconds, 1);
});

test("zones are the domains and their prefixes in reverse, each once", async () => {
  await using site = await siteOf([
    domain({ nameServers: ["ns1", "ns.example.org", "top."] }),
    segment(),
    prefix({ prefix: "127.64.0.0/25" }),
    prefix({ id: 2, prefix: "127.64.0.128/25" }),
  ]);
  const zones = zonesOf(site.replica);
  assert.deepEqual(
    zones.map((zone) => [zone.name, zone.is]),
    [
      ["0.64.127.in-addr.arpa", "reverse"],
      ["lab.test", "forward"],
    ],
  );
  for (const zone of zones) assert.deepEqual(zone.nameServers, ["ns1.lab.test", "ns.example.org", "top"]);
  assert.deepEqual(zones[1]?.soa, {
    mname: "ns1.lab.test",
    rname: "hostmaster.lab.test",
    refreshSeconds: 3600,
    retrySeconds: 600,
    expireSeconds: 604_800,
    minimumSeconds: 5,
  });
});

test("a reverse name gives its address, and no other name gives an address", () => {
  for (const text of ["127.64.0.12", "0.0.0.0", "255.255.255.255", "fd00::12", "::"]) {
    const address = readAddress(text);
    assert.equal(addressOfReverse(reverseName(address)), address);
  }
  for (const text of [
    "1.2.3.in-addr.arpa",
    "1.2.3.4.5.in-addr.arpa",
    "1.2.3.04.in-addr.arpa",
    "1.2.3.256.in-addr.arpa",
  ])
    assert.equal(addressOfReverse(dnsName(text)), undefined, text);
  for (const text of ["x.1.2.3.in-addr.arpa", "in-addr.arpa", "ip6.arpa", ".", "0x1.2.3.4.in-addr.arpa"])
    assert.equal(addressOfReverse(dnsName(text)), undefined, text);
});

test("an owner has its declared and its derived records, each once", async () => {
  await using site = await siteOf([
    ...LAB,
    iface(),
    lease(),
    name({ owner: "127-64-0-12.lab.test", type: "A", data: "127.64.0.12" }),
    name({ id: 2, owner: "127-64-0-12.lab.test", type: "TXT", data: '"rack 1"' }),
  ]);
  assert.deepEqual(
    recordsAt(site.replica, dnsName("127-64-0-12.lab.test")).map(({ type, data }) => [type, dataText(data)]),
    [
      ["A", "127.64.0.12"],
      ["TXT", "rack 1"],
    ],
  );
});

test("a declared CNAME is not served beside an address record", async () => {
  const alias = name({ owner: "node-1.lab.test", type: "CNAME", data: "www.lab.test" });
  await using site = await siteOf([...LAB, iface({ label: "node-1" }), alias]);
  assert.equal(recordsAt(site.replica, dnsName("node-1.lab.test"))[0]?.type, "CNAME");
  site.source.push(lease());
  await site.settled();
  assert.deepEqual(
    recordsAt(site.replica, dnsName("node-1.lab.test")).map(({ type }) => type),
    ["A"],
  );
});

test("a declared pointer is found by the reverse name of its address", async () => {
  const owner = reverseName(readAddress("127.64.0.80"));
  await using site = await siteOf([...LAB, name({ owner: nameText(owner), type: "PTR", data: "www.lab.test" })]);
  assert.deepEqual(
    recordsAt(site.replica, owner).map(({ data }) => dataText(data)),
    ["www.lab.test"],
  );
});

test("what a name is made of leads back to its records: label, address, MAC, pointer", async () => {
  await using site = await siteOf([
    ...LAB,
    segment({ id: 2, name: "bmc", naming: "mac" }),
    prefix({ id: 2, segment: 2, prefix: "127.65.0.0/24" }),
    iface({ label: "node-1" }),
    lease(),
    iface({ id: 2, identity: "02:f1:00:00:00:02" }),
    lease({ interface: 2, identity: "02:f1:00:00:00:02", address: "127.64.0.13" }),
    iface({ id: 3, segment: 2, identity: "02:f1:00:00:00:03" }),
    lease({ interface: 3, segment: 2, identity: "02:f1:00:00:00:03", address: "127.65.0.13" }),
  ]);
  const owners = ["node-1.lab.test", "127-64-0-13.lab.test", "02-f1-00-00-00-03.lab.test", "13.0.65.127.in-addr.arpa"];
  for (const owner of owners) assert.equal(recordsAt(site.replica, dnsName(owner)).length, 1, owner);
  for (const owner of [
    "127-64-0-12.lab.test",
    "127-65-0-13.lab.test",
    "node-1",
    "node-1.other.test",
    "",
    ".",
    "999-1-1-1.lab.test",
  ]) {
    assert.deepEqual(recordsAt(site.replica, dnsName(owner)), [], owner);
  }
  const all = [...allRecords(site.replica)].flat();
  assert.equal(all.length, 6);
  for (const record of all)
    assert(recordsAt(site.replica, record.owner).some((other) => dataText(other.data) === dataText(record.data)));
});
