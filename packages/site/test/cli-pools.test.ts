/** `firstlight pools` as an operator types it, at a real API. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { apiProcess } from "./api-process.ts";

const site = await apiProcess("domains: [{ name: lab.test }]");
after(() => site[Symbol.asyncDispose]());

const NETS = "name: nets\nkind: prefix\nlength: 56\nranges: ['fd00:1::/48']\n";

const no = (err: string) => ({ code: 1, out: "", err });

test("a pool is made, gives, and takes back; what it gave keeps it from going", async () => {
  assert.deepEqual(await site.shell(["pools", "put", "-"], "name: vlans\nkind: integer\nranges: [100-109]\n"), {
    code: 0,
    out: "pool vlans: 100-109\n",
    err: "",
  });
  assert.equal(await site.out("pools", "allocate", "vlans", "rack1"), "100\n");
  assert.equal(await site.out("pools", "allocate", "vlans", "rack2", "--value", "105"), "105\n");
  const [list, grants, taken, foreign, full] = await Promise.all([
    site.out("pools", "list"),
    site.out("pools", "grants", "vlans"),
    site.cli("pools", "allocate", "vlans", "rack3", "--value", "105"),
    site.cli("pools", "release", "vlans", "105", "rack1"),
    site.cli("pools", "delete", "vlans"),
  ]);
  assert.equal(list, "NAME   KIND     GIVEN  FREE  RANGES   EXCLUDED\nvlans  integer  2      8     100-109\n");
  assert.equal(
    grants.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "WHEN"),
    "VALUE  OWNER  SINCE\n100    rack1  WHEN\n105    rack2  WHEN\n",
  );
  assert.deepEqual(
    taken,
    no(
      "firstlight: refused: pool vlans: 105 is given to rack2\n  pool-value-given: Choose another value, or let its owner release it.\n",
    ),
  );
  assert.deepEqual(
    foreign,
    no(
      "firstlight: refused: pool vlans: 105 is given to rack2\n  pool-value-given: Choose another value, or let its owner release it.\n",
    ),
  );
  assert.deepEqual(
    full,
    no(
      "firstlight: refused: pool vlans: 100 is given to rack1\n  pool-value-given: Choose another value, or let its owner release it.\n",
    ),
  );
  assert.equal(await site.out("pools", "release", "vlans", "105", "rack2"), "pool vlans: 105 is free\n");
});

test("with --json a pool and what it gave are data", async () => {
  const [put, pools, grants] = await Promise.all([
    site.cli("pools", "put", site.write("nets.yaml", NETS), "--json"),
    site.out("pools", "list", "--json"),
    site.out("pools", "grants", "vlans", "--json"),
  ]);
  assert.deepEqual(put, { code: 0, out: "{}\n", err: "" });
  const { version, ...vlans } = (JSON.parse(pools) as Record<string, unknown>[]).find(({ name }) => name === "vlans")!;
  assert.equal(typeof version, "number");
  assert.deepEqual(vlans, {
    name: "vlans",
    kind: "integer",
    length: 0,
    ranges: ["100-109"],
    excluded: [],
    granted: 1,
    free: "9",
  });
  const [grant] = JSON.parse(grants) as { granted: string }[];
  assert.deepEqual({ ...grant, granted: "" }, { pool: "vlans", value: "100", owner: "rack1", granted: "" });
  const given = JSON.parse(await site.out("pools", "allocate", "nets", "pod1", "--json")) as { value: string };
  assert.equal(given.value, "fd00:1::/56");
});

test("what is asked wrongly is one line and exit 1, whoever finds it", async () => {
  const put = (file: string, text: string) => site.cli("pools", "put", site.write(file, text));
  const [yaml, list, missing, backward, unknown, usage] = await Promise.all([
    put("cut.yaml", "name: ["),
    put("list.yaml", "- 1\n"),
    site.cli("pools", "put", "none.yaml"),
    put("x.yaml", "name: x\nkind: integer\nranges: [9-1]\n"),
    site.cli("pools", "allocate", "none", "rack1"),
    site.cli("pools", "allocate", "vlans"),
  ]);
  assert.match(yaml.err, /^firstlight: cut\.yaml: not YAML: Flow sequence [^\n]*\n$/);
  assert.deepEqual(list, no("firstlight: list.yaml: want fields and their values\n"));
  assert.deepEqual(missing, no("firstlight: none.yaml cannot be read: ENOENT\n"));
  assert.deepEqual(
    backward,
    no(
      "firstlight: refused: pool x: 9-1 ends before it begins\n  pool-value-malformed: Correct the value or the range.\n",
    ),
  );
  assert.deepEqual(
    unknown,
    no("firstlight: not found: there is no pool none\n  pool-not-found: See firstlight pools list.\n"),
  );
  assert.match(usage.err, /^error: missing required argument 'owner'/);
  assert.equal(usage.code, 1);
});
