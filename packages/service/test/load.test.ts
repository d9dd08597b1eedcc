import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { z } from "zod";
import { faultLine, loadSite, path, type Loaded } from "../src/index.ts";

const dir = mkdtempSync(join(tmpdir(), "firstlight-load-"));
after(() => rmSync(dir, { recursive: true }));

const sections = {
  dhcpd: z.strictObject({
    serverId: z.string().optional(),
    listen: z
      .array(z.strictObject({ address: z.string(), device: z.string().optional() }))
      .default([{ address: "127.0.0.1:6767" }]),
    root: path().optional(),
    offerHoldSeconds: z.int().min(1).max(300).default(30),
  }),
  pxeHttp: z.strictObject({ baseUrl: z.url().optional(), verbose: z.boolean().default(false) }),
  expectedMachines: z.array(z.strictObject({ name: z.string() })).default([]),
};

function load(text: string, env: Record<string, string> = {}): Loaded {
  const file = join(dir, "site.yaml");
  writeFileSync(file, text);
  return loadSite(file, sections, env);
}

/** The faults as printed, without the folder. */
function faults(text: string, env: Record<string, string> = {}): string[] {
  const loaded = load(text, env);
  return loaded.faults.map((fault) => faultLine(fault).replaceAll(`${dir}/`, ""));
}

function loadedOf(loaded: Loaded): { site: any; sections: any } {
  assert.ok(loaded.is === "loaded", loaded.faults.map(faultLine).join("\n"));
  return loaded;
}

test("without a file every setting has its documented default", () => {
  const { site, sections: own } = loadedOf(loadSite(undefined, sections, {}));
  assert.equal(site.apiEndpoint, "127.0.0.1:7070");
  assert.equal(site.site.stateDir, join(process.cwd(), ".firstlight"));
  assert.equal(site.trust.dir, join(process.cwd(), ".firstlight", "trust"));
  assert.deepEqual(own.dhcpd, { listen: [{ address: "127.0.0.1:6767" }], offerHoldSeconds: 30 });
  assert.deepEqual(own.expectedMachines, []);
});

test("paths are relative to the file's folder", () => {
  const { site, sections: own } = loadedOf(load("site: { stateDir: . }\ndhcpd: { root: ../boot }\n"));
  assert.equal(site.site.stateDir, dir);
  assert.equal(own.dhcpd.root, join(dir, "..", "boot"));
});

test("every fault is one line with position and remedy, in file order", () => {
  const text = `sit: {}
site:
  name: Lab 7
apiEndpoint: localhost
log:
  level: loud
dhcpd:
  serverIp: 192.0.2.1
  listen:
    - address: 67
      devcie: eth0
  offerHoldSeconds: 0
pxeHttp:
  verbose: "yes"
  baseUrl: nowhere
expectedMachines:
  - {}
`;
  assert.deepEqual(faults(text), [
    "site.yaml:1: sit: unknown section; did you mean site?",
    'site.yaml:3: site.name: is "Lab 7"; want text that matches /^[a-z][a-z0-9-]{0,30}$/',
    'site.yaml:4: apiEndpoint: is "localhost"; want address:port, for example 127.0.0.1:6767',
    'site.yaml:6: log.level: is "loud"; want one of trace, debug, info, warn, error',
    "site.yaml:8: dhcpd.serverIp: unknown key; did you mean serverId?",
    "site.yaml:10: dhcpd.listen[0].address: is 67; want text",
    "site.yaml:11: dhcpd.listen[0].devcie: unknown key; did you mean device?",
    "site.yaml:12: dhcpd.offerHoldSeconds: is 0; want at least 1",
    'site.yaml:14: pxeHttp.verbose: is "yes"; want true or false',
    'site.yaml:15: pxeHttp.baseUrl: is "nowhere"; want a URL, for example http://127.0.0.1:4318',
    "site.yaml:17: expectedMachines[0].name: missing; want text",
  ]);
});

test("a missing, non-YAML or non-map file is a fault", () => {
  assert.deepEqual(faults("site: [\n"), [
    "site.yaml:2: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; correct the line",
  ]);
  assert.match(faults("site: {}\nsite: {}\n")[0] ?? "", /^site.yaml:2: not valid YAML: Map keys must be unique; /);
  assert.deepEqual(faults("- site\n"), [
    "site.yaml:1: is not a map of sections; start with a section, for example `site:`",
  ]);
  assert.deepEqual(
    loadSite(join(dir, "none.yaml"), sections, {}).faults.map((fault) => faultLine(fault).replaceAll(`${dir}/`, "")),
    ["none.yaml: cannot be read (ENOENT); name a readable file with --config"],
  );
  assert.equal(load("").is, "loaded", "an empty file is all defaults");
  assert.equal(load("site:\ndhcpd:\n").is, "loaded", "so are empty sections");
});

test("the environment overrides the file", () => {
  const { site, sections: own } = loadedOf(
    load("apiEndpoint: 127.0.0.1:1\ndhcpd: { offerHoldSeconds: 5 }\n", {
      DATABASE_URL: "postgres://one/db",
      REDIS_URL: "redis://127.0.0.1:6379",
      FIRSTLIGHT_API_ENDPOINT: "[::1]:7070",
      FIRSTLIGHT_DHCPD__SERVER_ID: "0123",
      FIRSTLIGHT_DHCPD__LISTEN__0__ADDRESS: "0.0.0.0:67",
      FIRSTLIGHT_PXE_HTTP__VERBOSE: "true",
      FIRSTLIGHT_EXPECTED_MACHINES: "[{name: m1}, {name: m2}]",
      FIRSTLIGHT_CONTEXT: "no setting",
      FIRSTLIGHT_TEST_DATABASE_URL: "nor this",
      PATH: "/bin",
    }),
  );
  assert.equal(site.database.url, "postgres://one/db");
  assert.equal(site.redis.url, "redis://127.0.0.1:6379");
  assert.equal(site.apiEndpoint, "[::1]:7070");
  assert.deepEqual(own.dhcpd, { serverId: "0123", listen: [{ address: "0.0.0.0:67" }], offerHoldSeconds: 5 });
  assert.equal(own.pxeHttp.verbose, true);
  assert.deepEqual(own.expectedMachines, [{ name: "m1" }, { name: "m2" }]);
});

test("the variable named after a setting wins over DATABASE_URL", () => {
  const { site } = loadedOf(
    load("", { DATABASE_URL: "postgres://one/db", FIRSTLIGHT_DATABASE__URL: "postgres://two/db" }),
  );
  assert.equal(site.database.url, "postgres://two/db");
});

test("a fault in the environment names its variable", () => {
  assert.deepEqual(
    faults("dhcpd: {}\n", {
      FIRSTLIGHT_DHCPD__OFFER_HOLD: "3",
      FIRSTLIGHT_LOG__LEVEL: "loud",
      FIRSTLIGHT_DHCPS__X: "1",
      FIRSTLIGHT_PXE_HTTP: "7",
    }),
    [
      "FIRSTLIGHT_DHCPS__X: dhcps: unknown section; did you mean dhcpd?",
      'FIRSTLIGHT_LOG__LEVEL: log.level: is "loud"; want one of trace, debug, info, warn, error',
      "FIRSTLIGHT_DHCPD__OFFER_HOLD: dhcpd.offerHold: unknown key; known keys: serverId, listen, root, offerHoldSeconds",
      "FIRSTLIGHT_PXE_HTTP: pxeHttp: is 7; want a section of keys",
    ],
  );
});

test("a secret file that is empty, missing or readable by all is refused", () => {
  const secret = join(dir, "password");
  const text = "database: { passwordFile: password }\n";
  rmSync(secret, { force: true });
  assert.deepEqual(faults(text), [
    `site.yaml:1: database.passwordFile: no secret in password (ENOENT); write it on the file's first line`,
  ]);
  writeFileSync(secret, "\n", { mode: 0o600 });
  assert.match(faults(text)[0] ?? "", /empty first line/);
  writeFileSync(secret, "hush\n");
  chmodSync(secret, 0o644);
  assert.deepEqual(faults(text), [
    "site.yaml:1: database.passwordFile: password is readable by all users; chmod 0640 or less",
  ]);
  chmodSync(secret, 0o600);
  assert.equal(loadedOf(load(text)).site.database.passwordFile, secret);
});

test("law: any file and environment give a configuration or one-line faults", () => {
  const yamlish = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc
      .array(
        fc.constantFrom(
          "site",
          ":",
          " ",
          "\n",
          "dhcpd",
          "[",
          "]",
          "{",
          "}",
          "&a",
          "*a",
          "__proto__",
          "- ",
          '"',
          "7",
          "listen",
          "!!x ",
        ),
        { maxLength: 24 },
      )
      .map((parts) => parts.join("")),
  );
  const name = fc.stringMatching(/^FIRSTLIGHT_[A-Z0-9_]{0,20}$/);
  fc.assert(
    fc.property(yamlish, fc.dictionary(name, yamlish, { maxKeys: 2 }), (text, env) => {
      for (const line of load(text, env).faults.map(faultLine)) assert.match(line, /^[^\n]+: .+; .+$/u);
    }),
    { numRuns: 300 },
  );
  assert.equal(({} as Record<string, unknown>)["url"], undefined, "no prototype was touched");
});
