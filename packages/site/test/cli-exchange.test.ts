/** `firstlight ipam export|import` and `leases import` as an operator types them, at a real API. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import test, { after } from "node:test";
import { SHEET_KINDS } from "@firstlight/ipam/exchange";
import { apiProcess } from "./api-process.ts";

const site = await apiProcess(`domains: [{ name: lab.test }]
segments: [{ name: bmc, domain: lab.test, prefixes: [{ prefix: 10.9.0.0/24, gateway: 10.9.0.1 }] }]
names: [{ owner: www.lab.test, type: A, data: 10.9.0.5 }]
pools: [{ name: vlans, kind: integer, ranges: [100-199] }]`);
after(() => site[Symbol.asyncDispose]());

const sheet = (kind: string, text: string, ...more: string[]) =>
  site.cli("ipam", "import", site.write("sheet.csv", text), "--kind", kind, ...more);

const done = (out: string) => ({ code: 0, out, err: "" });

test("a sheet says what it would change, changes it, and a second time nothing", async () => {
  const text = "name,domain,mtu,vlan\nbmc,lab.test,9000,12\nhosts,lab.test,,\n";
  const changes = "~ segments bmc: mtu 1500 → 9000, vlan none → 12\n+ segments hosts\n";
  assert.deepEqual(await sheet("segments", text, "--dry-run"), done(`${changes}2 would change, 0 as they were\n`));
  assert.deepEqual(
    await site.shell(["ipam", "import", "-", "--kind", "segments"], text),
    done(`${changes}2 changed, 0 as they were\n`),
  );
  assert.deepEqual(await sheet("segments", text), done("0 changed, 2 as they were\n"));
});

test("every kind goes out and comes in as it was, in any format, by file or by pipe", async () => {
  await Promise.all(
    SHEET_KINDS.map(async (kind, n) => {
      const format = ["csv", "json", "yaml"][n % 3]!;
      const file = `${kind}.${format}`;
      assert.equal(await site.out("ipam", "export", "--kind", kind, "--format", format, "--out", file), "");
      const again = await site.out("ipam", "import", file, "--kind", kind, "--format", format);
      assert.match(again, /^0 changed, \d as they were\n$/);
    }),
  );
  assert.equal(
    readFileSync(join(site.dir, "domains.csv"), "utf8"),
    "name,nameServers,ttlSeconds,negativeTtlSeconds\nlab.test,ns1,60,5\n",
  );
  assert.equal(
    await site.out("ipam", "export", "--kind", "names"),
    "owner,type,data,ttlSeconds,domain\nwww.lab.test,A,10.9.0.5,60,lab.test\n",
  );
});

test("faults are lines with their row and column on standard error, exit 1, and data with --json", async () => {
  const text = "name,domain,mtu\nbmc,lab.test,1\nx y,lab.test,\n";
  const [lines, data] = await Promise.all([sheet("segments", text), sheet("segments", text, "--json")]);
  assert.deepEqual(lines, {
    code: 1,
    out: "",
    err: "sheet.csv: row 2, column mtu: too small: expected number to be >=576\nsheet.csv: row 3, column name: want a host label: letters, digits, hyphens\n",
  });
  const { faults, changed } = JSON.parse(data.out) as { faults: object[]; changed: number };
  assert.deepEqual([data.code, data.err, changed], [1, "", 0]);
  assert.deepEqual(faults[0], { row: 2, column: "mtu", because: "too small: expected number to be >=576" });
});

test("what is asked wrongly is one line and exit 1", async () => {
  const [kind, format, file, none] = await Promise.all([
    sheet("routers", ""),
    sheet("names", "", "--format", "xml"),
    site.cli("ipam", "import", "none.csv", "--kind", "names"),
    site.cli("ipam", "export"),
  ]);
  assert.match(kind.err, /argument 'routers' is invalid\. Allowed choices are domains, pools, segments, /);
  assert.match(format.err, /argument 'xml' is invalid\. Allowed choices are csv, json, yaml/);
  assert.equal(file.err, "firstlight: none.csv cannot be read: ENOENT\n");
  assert.match(none.err, /required option '--kind <kind>' not specified/);
  assert.deepEqual([kind.code, format.code, file.code, none.code], [1, 1, 1, 1]);
});

/** An hour from now, as dhcpd writes it. */
const END = new Date(Date.now() + 3_600_000).toISOString().replaceAll("-", "/").replace("T", " ").slice(0, 19);
const isc = (address: string, n: number): string =>
  `lease ${address} {\n  ends 6 ${END};\n  binding state active;\n  hardware ethernet 02:aa:00:00:00:0${n};\n}\n`;

test("leases of another server come over, row by row: bound, refused with the reason, left out and counted", async () => {
  const file = site.write("dhcpd.leases", isc("10.9.0.50", 1) + isc("10.9.0.1", 2) + isc("10.77.0.5", 3));
  const verb = ["leases", "import", "--from", "isc", file];
  const dry = await site.cli(...verb, "--dry-run");
  assert.equal(
    dry.out,
    `LINE  REFUSED    MAC                BECAUSE
6     10.9.0.1   02:aa:00:00:00:02  address is not assignable in this segment
11    10.77.0.5  02:aa:00:00:00:03  no prefix holds the address
1 would be taken over, 0 promised already, 2 refused
`,
  );
  assert.deepEqual([dry.code, dry.err], [1, ""]);
  assert.match((await site.cli(...verb)).out, /\n1 taken over, 0 promised already, 2 refused\n$/);
  const [only, again] = await Promise.all([site.cli(...verb, "--segment", "hosts"), site.cli(...verb, "--json")]);
  assert.deepEqual(only, {
    code: 0,
    out: "left out: 3 (not in segment hosts)\n0 taken over, 0 promised already, 0 refused\n",
    err: "",
  });
  assert.deepEqual(
    (JSON.parse(again.out) as { address: string; is: string }[])
      .map(({ address, is }) => `${address} ${is}`)
      .toSorted(),
    ["10.77.0.5 refused", "10.9.0.1 refused", "10.9.0.50 kept"],
  );
  assert.match(await site.out("leases", "list"), /^10\.9\.0\.50 +bmc +02:aa:00:00:00:01 +bound /m);
});

test("the samples come in, one kind after the other, and a second time change nothing", async () => {
  const samples = join(import.meta.dirname, "../../../examples/exchange");
  const files = readdirSync(samples);
  for (const kind of SHEET_KINDS) {
    const file = files.find((name) => name.startsWith(`${kind}.`));
    if (file === undefined) continue;
    const verb = ["ipam", "import", join(samples, file), "--kind", kind, "--format", extname(file).slice(1)];
    assert.match(await site.out(...verb), /\n[1-9]\d* changed, \d+ as they were\n$/);
    assert.match(await site.out(...verb), /^0 changed, [1-9]\d* as they were\n$/);
  }
  const netbox = ["ipam", "import", join(samples, "netbox-prefixes.csv"), "--kind", "prefixes", "--dry-run"];
  assert.match(await site.out(...netbox), /would change/);
});
