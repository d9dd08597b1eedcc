/** `firstlight segments` as an operator types it, at a real API: pools of a prefix, numbers from pools, drain. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { apiProcess } from "./api-process.ts";

const site = await apiProcess(`
domains: [{ name: lab.test }]
pools: [{ name: vlans, kind: integer, ranges: [100-101] }]
segments:
  - { name: one, domain: lab.test, vlan: { pool: vlans }, prefixes: [{ prefix: 10.1.0.0/24 }] }
`);
after(() => site[Symbol.asyncDispose]());

const no = (err: string) => ({ code: 1, out: "", err });

const RACK = `
name: rack
domain: lab.test
vlan: { pool: vlans }
vni: 5001
prefixes:
  - prefix: 10.2.0.0/24
    pools: [{ from: 10.2.0.64, to: 10.2.0.95, roles: [host_bmc, dpu_bmc] }]
  - prefix: 10.3.0.0/24
`;

test("a segment with pools and a number from a pool is made, listed and drained; a pool that is exhausted is said", async () => {
  const made = await site.cli("segments", "create", site.write("rack.yaml", RACK));
  assert.deepEqual(made, { code: 0, out: "segment rack: 10.2.0.0/24 10.3.0.0/24\n", err: "" });
  const third = RACK.replace("name: rack", "name: third").replaceAll("10.2.", "10.4.").replaceAll("10.3.", "10.5.");
  assert.deepEqual(
    await site.cli("segments", "create", site.write("third.yaml", third)),
    no(
      "firstlight: refused: segment third: no vlan: pool vlans is exhausted: 2 of 2 values are given\n  segment-number-refused: Widen the pool's ranges, or choose another pool.\n",
    ),
  );

  const drain = ["segments", "drain", "rack", "--prefix", "10.2.0.0/24"];
  assert.equal(await site.out(...drain), "segment rack: 10.2.0.0/24 is draining\n");
  assert.equal(await site.out("segments", "drain", "one"), "segment one is draining\n");
  assert.equal(
    await listed((text) => text.includes("10.2.0.0/24 draining") && /one .* draining$/m.test(text)),
    [
      "NAME  KIND      DOMAIN    PREFIXES                 BOUND  OF   MTU   BOOTS  VLAN         VNI   STATE",
      "one   underlay  lab.test  10.1.0.0/24              0      254  1500  yes    100 (vlans)        draining",
      "rack  underlay  lab.test  10.2.0.0/24 10.3.0.0/24  0      508  1500  yes    101 (vlans)  5001  10.2.0.0/24 draining",
      "",
    ].join("\n"),
  );
  assert.equal(await site.out("segments", "undrain", "one"), "segment one is active\n");
  assert.deepEqual(
    await site.cli("segments", "drain", "rack", "--prefix", "10.9.0.0/24"),
    no(
      "firstlight: not found: segment rack has no prefix 10.9.0.0/24\n  prefix-not-found: See firstlight segments list.\n",
    ),
  );
  const json = JSON.parse(await site.out("segments", "undrain", "rack", "--prefix", "10.2.0.0/24", "--json")) as {
    prefixes: { pools: unknown; state: string }[];
  };
  assert.deepEqual(json.prefixes[0]?.pools, [{ from: "10.2.0.64", to: "10.2.0.95", roles: ["host_bmc", "dpu_bmc"] }]);
  assert.equal(json.prefixes[0]?.state, "active");

  assert.equal(await site.out("segments", "delete", "rack"), "segment rack is gone\n");
  assert.match(
    await site.out("pools", "grants", "vlans"),
    /^VALUE  OWNER {13}SINCE\n100    segment one vlan  [^\n]*\n$/,
  );
});

/** The listing, once the feed has brought what was written. */
async function listed(isSo: (text: string) => boolean): Promise<string> {
  for (;;) {
    const text = await site.out("segments", "list");
    if (isSo(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
