import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MAIN } from "../src/folders.ts";

const dir = mkdtempSync(join(tmpdir(), "firstlight-commands-"));
after(() => rmSync(dir, { recursive: true }));

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the one binary as a shell would. */
function firstlight(...args: string[]): Promise<Said> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], FIRSTLIGHT_CONTEXT: join(dir, "none.yaml"), NODE_COMPILE_CACHE: dir };
    execFile(process.execPath, [MAIN, ...args], { env, cwd: dir }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

function write(name: string, text: string): string {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
}

test("a fault in the file is one line with its place and remedy, and exit 2, whoever reads the file", async () => {
  const file = write("bad.yaml", "dhcpd:\n  serverID: 10.0.0.1\n");
  const line = `${file}:2: dhcpd.serverID: unknown key; did you mean serverId?\n`;
  const verbs = [
    ["config", "check", file],
    ["config", "check", "--config", file],
    ["config", "show", "--config", file],
    ["dhcpd", "--config", file, "--check"],
    ["migrate", "--config", file],
  ];
  for (const said of await Promise.all(verbs.map((verb) => firstlight(...verb)))) {
    assert.deepEqual([said.code, said.err, said.out], [2, line, ""]);
  }
  const up = await firstlight("up", "--config", file);
  assert.equal(up.code, 2);
  assert.ok(up.out.includes(line.trim()));
});

test("every daemon takes the same file with --check and exits 0", async () => {
  const file = write("good.yaml", "site: { name: rack1 }\ndhcpd: { serverId: 10.0.0.1 }\n");
  const names = ["api", "dhcpd", "tftpd", "pxe-http", "dnsd", "unbound-config", "rack"];
  const said = await Promise.all(names.map((name) => firstlight(name, "--config", file, "--check")));
  for (const one of said) assert.deepEqual(one, { code: 0, out: `${file}: ok\n`, err: "" });
});

test("config check takes its file as an argument or with --config, not both", async () => {
  const file = write("either.yaml", "site: { name: rack1 }\n");
  const [argument, option, both] = await Promise.all([
    firstlight("config", "check", file),
    firstlight("config", "check", "--config", file),
    firstlight("config", "check", file, "--config", file),
  ]);
  assert.deepEqual(argument, { code: 0, out: `${file}: ok\n`, err: "" });
  assert.deepEqual(option, argument);
  assert.equal(both.code, 1);
  assert.match(both.err, /one file, as the argument or with --config/);
});

test("config show fills in what was left out, and shows no password", async () => {
  const file = write("show.yaml", "database: { url: 'postgres://me:secret@db.internal/site' }\n");
  const { code, out } = await firstlight("config", "show", file);
  assert.equal(code, 0);
  assert.match(out, /postgres:\/\/me:\*\*\*@db\.internal\/site/);
  assert.match(out, /apiEndpoint: 127\.0\.0\.1:7070/);
  assert.ok(!out.includes("secret"));
});

test("ca init makes an authority once; ca issue gives a daemon and an operator what is theirs", async () => {
  const file = write("ca.yaml", "site: { name: rack1, stateDir: state }\n");
  assert.match((await firstlight("ca", "init", "--config", file)).out, /the CA of rack1, made now/);
  assert.match((await firstlight("ca", "init", "--config", file)).out, /the CA of rack1, as it was/);
  assert.match(
    (await firstlight("ca", "issue", "dhcpd", "--config", file)).out,
    /spiffe:\/\/rack1\/daemon\/dhcpd, issued/,
  );
  const out = join(dir, "mine");
  const issued = await firstlight("ca", "issue", "ada", "--operator", "--out", out, "--config", file);
  assert.match(issued.out, /spiffe:\/\/rack1\/operator\/ada, issued/);
  assert.equal(statSync(join(out, "ada.key")).mode & 0o777, 0o600);
  assert.ok(!existsSync(join(dir, "state", "trust", "ada.key")));
});

test("an operator's verb without a site says where it looked and what to do", async () => {
  const said = await firstlight("machines", "list");
  assert.equal(said.code, 1);
  assert.match(said.err, /^firstlight: no operator context at .*none\.yaml; start the site with `firstlight up`/);
});

test("a wrong word or number is refused with what was meant", async () => {
  assert.match((await firstlight("machine", "list")).err, /unknown command 'machine'[\s\S]*Did you mean machines\?/);
  assert.match((await firstlight("up", "--machines", "none")).err, /want a whole number from 1 to 100000/);
  const { code, err } = await firstlight("names", "put", "www.lab.test", "A", "10.0.0.1", "--ttl", "abc");
  assert.equal(code, 1);
  assert.match(err, /option '--ttl <seconds>' argument 'abc' is invalid. want a whole number from 1 to 2147483647/);
  assert.match(
    (await firstlight("machines", "list", "--state", "happy")).err,
    /want one of discovered, booting, ready/,
  );
});
