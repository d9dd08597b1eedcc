/** NetBox's sheets in our terms. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { house, said } from "./lab.ts";

const site = await house();
after(() => site[Symbol.asyncDispose]());

test("NetBox's prefixes come in: by VLAN, by name or by what is there; containers nest outside and are left out", async () => {
  await site.put("segments", "name,domain,vlan\nnb,lab.test,320\n");
  const text = [
    "Prefix,Status,VRF,VLAN,Is a pool,Tenant,Description",
    '10.60.0.0/16,Container,,,False,acme,"all of it"',
    "10.60.1.0/24,Active,Global,racks (320),False,acme,",
    "10.0.2.0/24,Active,,,False,,",
    "10.60.9.0/28,Active,,320,True,,",
    "10.60.8.0/24,Deprecated,,320,False,,",
  ].join("\n");
  const { faults, notes, rows, unchanged } = await site.put("prefixes", text);
  assert.deepEqual(said(faults), []);
  assert.deepEqual(said(notes), [
    "not imported: tenant, description",
    "row 2, column status: a container nests outside the prefixes of segments: left out",
    "row 5, column is_pool: a pool of NetBox is no broadcast domain: left out",
    "row 6, column status: deprecated: left out",
  ]);
  assert.deepEqual([rows.map(({ key, did }) => [key, did]), unchanged], [[["nb 10.60.1.0/24", "created"]], 1]);
  await site.store.putPool({ name: "vlans", is: "integer", ranges: ["330-339"], excluded: [] }, "operator/ada");
  await site.put("segments", "name,domain,vlan\npooled,lab.test,pool:vlans\n");
  const pooled = await site.put("prefixes", "prefix,status,vlan\n10.63.0.0/24,active,330\n");
  assert.deepEqual(
    pooled.rows.map(({ key }) => key),
    ["pooled 10.63.0.0/24"],
  );
  const lost = await site.put(
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
  const { faults, notes, rows } = await site.put("reservations", text);
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
  const lost = await site.put("reservations", "address,status\n192.0.2.1/24,active\nx,active\n");
  assert.deepEqual(said(lost.faults), [
    "row 2, column address: no prefix of vrf default holds 192.0.2.1",
    `row 3, column address: ${lost.faults[1]?.because}`,
  ]);
});
