/** `firstlight devices`, `interfaces` and `history of` as an operator types them, at a real API, while devices come and move. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { createStore } from "@firstlight/ipam/store";
import { parseAddress, parseMac, assertParsed } from "@firstlight/wire";
import { apiProcess } from "./api-process.ts";

const site = await apiProcess(`domains: [{ name: lab.test }]
segments:
  - { name: here, domain: lab.test, prefixes: [{ prefix: 10.60.0.0/24 }] }
  - { name: there, domain: lab.test, rehome: keep, prefixes: [{ prefix: 10.60.1.0/24 }] }`);
after(() => site[Symbol.asyncDispose]());
const store = createStore({ url: site.url, name: "dhcpd" });
after(() => store[Symbol.asyncDispose]());

/** As dhcpd commits a lease. */
async function lease(segment: number, mac: string, address: string): Promise<void> {
  const [outcome] = await store.commit(
    [
      {
        do: "bind",
        segment,
        identity: assertParsed(parseMac(mac), mac),
        address: assertParsed(parseAddress(address), address),
        leaseSeconds: 600,
      },
    ],
    "daemon/dhcpd",
  );
  assert.equal(outcome?.is, "bound");
}

/** Until the replica and the history have it. */
async function eventually(ask: () => Promise<string>, isSo: RegExp): Promise<string> {
  for (;;) {
    const text = await ask();
    if (isSo.test(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

const MACHINE = `name: r1
serial: SN1
interfaces:
  - { mac: "02:00:00:00:00:01", role: host, segment: here }
  - { mac: "02:00:00:00:00:02", role: host_bmc, address: 10.60.0.9 }
  - { mac: "02:00:00:00:00:03", role: dpu_oob }
`;

test("devices are expected from YAML, and predicted where they are to appear", async () => {
  assert.equal(
    (await site.shell(["devices", "expect", "-"], MACHINE)).out,
    "02:00:00:00:00:01 is expected as r1\n02:00:00:00:00:02 is expected as r1-bmc\n02:00:00:00:00:03 is expected as r1-dpu\n",
  );
  assert.equal(
    await eventually(() => site.out("devices", "list"), /r1-dpu/),
    `MACHINE  ROLE      MAC                LABEL   SEGMENT  ADDRESS    SERIAL  STATE
r1       host      02:00:00:00:00:01  r1      here                SN1     predicted
r1       host_bmc  02:00:00:00:00:02  r1-bmc  here     10.60.0.9  SN1     predicted
r1       dpu_oob   02:00:00:00:00:03  r1-dpu                      SN1     expected
`,
  );
  assert.equal(
    await site.out("interfaces", "list"),
    `CLIENT             ROLE      SEGMENT  ADDRESS  NAME  MACHINE  STATE
02:00:00:00:00:01  host      here                    r1       predicted
02:00:00:00:00:02  host_bmc  here                    r1       predicted
`,
  );
});

test("an inventory may add to a machine: the next label of its role is found", async () => {
  const more = 'name: r1\ninterfaces: [{ mac: "02:00:00:00:00:04", role: host, segment: there }]\n';
  assert.equal((await site.shell(["devices", "expect", "-"], more)).out, "02:00:00:00:00:04 is expected as r1-2\n");
});

test("the first lease makes a prediction true; a move is told in the history of the MAC", async () => {
  await lease(1, "02:00:00:00:00:01", "10.60.0.20");
  await eventually(() => site.out("devices", "list", "--machine", "r1"), /02:00:00:00:00:01 .* seen/);
  await lease(2, "02:00:00:00:00:01", "10.60.1.20");
  const told = await eventually(() => site.out("history", "of", "02:00:00:00:00:01"), /moved/);
  assert.equal(
    told.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "WHEN"),
    `ADDRESS     VRF      SEGMENT  MACHINE  FROM                 UNTIL                STATE
10.60.1.20  default  there    r1       WHEN  WHEN  bound
10.60.0.20  default  here     r1       WHEN  WHEN  released
WHEN  moved from here 10.60.0.20 to there 10.60.1.20
WHEN  came to here 10.60.0.20, as predicted
`,
  );
  const [newest] = (
    JSON.parse(await site.out("history", "of", "02:00:00:00:00:01", "--json")) as {
      arrivals: { kind: string; from: string }[];
    }
  ).arrivals;
  assert.deepEqual([newest?.kind, newest?.from], ["moved", "here"]);
  assert.match(await site.out("interfaces", "list", "--segment", "here"), /02:00:00:00:00:01 .* away\n/);
});

test("what is expected no more goes where it was not seen", async () => {
  assert.equal(
    await site.out("devices", "unexpect", "02:00:00:00:00:02", "02:00:00:00:00:03"),
    "02:00:00:00:00:02 is expected no more\n02:00:00:00:00:03 is expected no more\n",
  );
  await eventually(() => site.out("interfaces", "list"), /^(?!.*host_bmc)/s);
  const no = await site.cli("devices", "unexpect", "02:00:00:00:00:02");
  assert.deepEqual(no, {
    code: 1,
    out: "",
    err: "firstlight: not found: device 02:00:00:00:00:02 is not expected\n  device-not-found: See firstlight devices list.\n",
  });
});

test("what is written wrongly is said by field, and a segment's word about movers is settable", async () => {
  const bad = 'name: r9\ninterfaces: [{ mac: "02:00:00:00:00:09", role: router }]\n';
  assert.match((await site.shell(["devices", "expect", "-"], bad)).err, /devices\.0\.role/);
  assert.match((await site.shell(["segments", "update", "-"], "name: there\nrehome: refuse\n")).out, /^segment there/);
  const segments = JSON.parse(await site.out("segments", "list", "--json")) as { name: string; rehome?: string }[];
  assert.equal(segments.find(({ name }) => name === "there")?.rehome, "refuse");
});
