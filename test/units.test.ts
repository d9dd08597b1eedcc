/** The unit files of `deploy/systemd` belong to existing daemons and open the ports of the site's file that their comment has. */
import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import test from "node:test";
import { loadSite, siteSchema } from "@firstlight/service";
import { DAEMON_NAMES } from "@firstlight/site";
import { SECTIONS } from "@firstlight/site/sections";

const ROOT = resolve(import.meta.dirname, "..");
const FOLDER = join(ROOT, "deploy/systemd");

const valuesOf = (text: string, key: string): string[] =>
  [...text.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map((match) => match[1]!);

interface Listening {
  readonly listen: string | readonly (string | { readonly address: string })[];
}

const folder = mkdtempSync(join(tmpdir(), "firstlight-units-"));
test.after(() => rmSync(folder, { recursive: true }));

for (const file of globSync("*.socket", { cwd: FOLDER })) {
  test(`${file} opens the ports of the site's file in its comment`, () => {
    const text = readFileSync(join(FOLDER, file), "utf8");
    const name = basename(file, ".socket").replace(/^firstlight-/, "");
    assert.ok((DAEMON_NAMES as readonly string[]).includes(name), name);
    assert.deepEqual(valuesOf(text, "Service"), [`firstlight@${name}.service`]);
    const [yaml] = [...text.matchAll(/^# The site's file for these ports: (.*)$/gm)].map((match) => match[1]!);
    const site = join(folder, `${name}.yaml`);
    writeFileSync(site, `${yaml}\n`);
    const loaded = loadSite(site, SECTIONS, {});
    assert.ok(loaded.is === "loaded", JSON.stringify(loaded));
    const { listen } = loaded.sections[yaml!.split(":")[0]!] as Listening;
    const expected = [listen].flat().map((at) => (typeof at === "string" ? at : at.address));
    const opened = [...valuesOf(text, "ListenDatagram"), ...valuesOf(text, "ListenStream")];
    assert.deepEqual(new Set(opened), new Set(expected));
  });
}

test("the service starts a file of the release and does not restart after exit code 2", () => {
  const text = readFileSync(join(FOLDER, "firstlight@.service"), "utf8");
  const [command] = valuesOf(text, "ExecStart");
  const [node, main, ...rest] = command!.replaceAll("/opt/firstlight/", "").split(" ");
  assert.equal(node, "node_modules/.bin/node");
  assert.ok(readFileSync(join(ROOT, main!), "utf8").length > 0);
  assert.deepEqual(rest, ["%i", "--config", "/etc/firstlight/site.yaml"]);
  assert.deepEqual(valuesOf(text, "RestartPreventExitStatus"), ["2"]);
  const drain = siteSchema.parse({}).site.drainSeconds;
  assert.ok(Number(valuesOf(text, "TimeoutStopSec")[0]) > drain + 10);
});
