/** `firstlight history` and `utilisation` as an operator types them, at a real API. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { createStore } from "@firstlight/ipam/store";
import { apiProcess } from "./api-process.ts";

const site = await apiProcess(`domains: [{ name: lab.test }]
segments: [{ name: bmc, domain: lab.test, prefixes: [{ prefix: 10.9.0.0/24, gateway: 10.9.0.1 }] }]`);
after(() => site[Symbol.asyncDispose]());

const timeless = (text: string): string => text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "WHEN");

/** What is committed is in the chronicle a moment later. */
async function eventually(ask: () => Promise<string>, isSo: RegExp): Promise<string> {
  for (;;) {
    const said = await ask();
    if (isSo.test(said)) return said;
  }
}

test("who had an address, and since when; who never had it is said so", async () => {
  await using store = createStore({ url: site.url, name: "test" });
  const bind = { do: "bind", segment: 1, identity: 0x02ee00000001, address: 0x0a090014, leaseSeconds: 600 } as const;
  const [outcome] = await store.commit([bind], "daemon/dhcpd");
  assert.equal(outcome?.is, "bound");
  const who = await eventually(() => site.out("history", "who", "10.9.0.20"), /02:ee/);
  assert.equal(
    timeless(who),
    `ADDRESS    VRF      MAC                MACHINE  SEGMENT  FROM                 UNTIL                STATE
10.9.0.20  default  02:ee:00:00:00:01           bmc      WHEN  WHEN  bound
`,
  );
  const [nobody, before, data] = await Promise.all([
    site.out("history", "who", "10.9.0.21"),
    site.out("history", "who", "10.9.0.20", "--at", "2020-01-01T00:00:00"),
    site.out("history", "who", "10.9.0.20", "--json"),
  ]);
  assert.equal(nobody, "10.9.0.21: nobody had it\n");
  assert.match(before, /^10\.9\.0\.20: /);
  const { tenancies } = JSON.parse(data) as { tenancies: { mac: string; state: string }[] };
  assert.deepEqual(
    tenancies.map(({ mac, state }) => [mac, state]),
    [["02:ee:00:00:00:01", "bound"]],
  );
});

test("what a device had, and that nothing is known of another", async () => {
  const [of, nobody, data] = await Promise.all([
    site.out("history", "of", "02:ee:00:00:00:01"),
    site.out("history", "of", "02:ee:00:00:00:02"),
    site.out("history", "of", "02:ee:00:00:00:01", "--json"),
  ]);
  assert.match(
    timeless(of),
    /^ADDRESS +VRF +SEGMENT +MACHINE +FROM +UNTIL +STATE\n10\.9\.0\.20 +default +bmc +WHEN +WHEN +bound\n$/,
  );
  assert.match(nobody, /^02:ee:00:00:00:02: \S/);
  const { tenancies } = JSON.parse(data) as { tenancies: { address: string }[] };
  assert.deepEqual(
    tenancies.map(({ address }) => address),
    ["10.9.0.20"],
  );
});

test("who changed what is on record with the operator's name", async () => {
  const text = "name,domain,mtu\nbmc,lab.test,9000\nhosts,lab.test,\n";
  assert.equal((await site.cli("ipam", "import", site.write("segments.csv", text), "--kind", "segments")).code, 0);
  const audit = ["history", "audit", "--kind", "segment"];
  const all = await eventually(() => site.out(...audit), /operator\/anna/);
  assert.equal(
    timeless(all),
    `AT                   ACTOR          KIND     KEY  DID      WHAT
WHEN  operator/anna  segment  2    created  hosts
WHEN  operator/anna  segment  1    changed  mtu 1500 → 9000
WHEN  config         segment  1    created  bmc
`,
  );
  const [one, none, data] = await Promise.all([
    site.out(...audit, "--most", "1"),
    site.out(...audit, "--actor", "operator/root"),
    site.out(...audit, "--actor", "config", "--json"),
  ]);
  assert.equal(one.split("\n").length, 3);
  assert.equal(none, "AT  ACTOR  KIND  KEY  DID  WHAT\n");
  assert.equal((JSON.parse(data) as unknown[]).length, 1);
});

test("how full each prefix is", async () => {
  const use = await site.out("utilisation");
  assert.match(use, /^SEGMENT +PREFIX +OF +BOUND +KEPT +RESTING +IDLE +USED +A DAY +FULL IN\n/);
  assert.match(use, /^bmc +10\.9\.0\.0\/24 +253 +/m);
  const [prefix] = JSON.parse(await site.out("utilisation", "--json")) as { prefix: string; assignable: number }[];
  assert.deepEqual([prefix?.prefix, prefix?.assignable], ["10.9.0.0/24", 253]);
});

test("what is asked wrongly is one line and exit 1", async () => {
  const [address, time, missing] = await Promise.all([
    site.cli("history", "who", "10.9.0"),
    site.cli("history", "audit", "--from", "yesterday"),
    site.cli("history", "who"),
  ]);
  assert.equal(
    address.err,
    "firstlight: invalid: address: want an IP address\n  address-malformed: Correct the field.\n",
  );
  assert.match(time.err, /argument 'yesterday' is invalid\. want a time, for example /);
  assert.match(missing.err, /missing required argument 'address'/);
  assert.deepEqual([address.code, time.code, missing.code], [1, 1, 1]);
});
