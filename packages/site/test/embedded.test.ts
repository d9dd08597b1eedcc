import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { faultLine, loadSite, siteSchema } from "@firstlight/service";
import { writeArtefacts } from "../src/up/artefacts.ts";
import { daemonsOf } from "../src/process/daemons.ts";
import { documentation } from "../src/documentation.ts";
import { embeddedSite, PORTS, type Ports } from "../src/up/embedded.ts";
import { freePort } from "../src/process/ports.ts";
import { SECTIONS } from "../src/sections.ts";

const dir = mkdtempSync(join(tmpdir(), "firstlight-embedded-"));
after(() => rmSync(dir, { recursive: true }));

const ports = Object.fromEntries(Object.entries(PORTS).map(([name, { port }]) => [name, port])) as Ports;

function load(text: string) {
  const file = join(dir, "site.yaml");
  writeFileSync(file, text);
  const loaded = loadSite(file, SECTIONS, {});
  assert.equal(loaded.is, "loaded", loaded.faults.map(faultLine).join("\n"));
  return loaded.is === "loaded" ? loaded : assert.fail();
}

test("the embedded site is a valid one for every daemon, and its parts agree on where the others are", () => {
  const { site, sections } = load(embeddedSite({ machines: 3, ports, deadlineSeconds: 60 }));
  const { dhcpd, pxeHttp, rack, tftpd, dnsd, api } = sections as Record<string, any>;
  assert.equal(site.site.stateDir, dir);
  assert.deepEqual(
    [dhcpd.bootUrl, pxeHttp.baseUrl],
    [undefined, `http://${pxeHttp.listen}`],
    "dhcpd asks pxe-http's section",
  );
  assert.equal(rack.servers.dhcp, dhcpd.listen[0].address);
  assert.equal(rack.servers.dns, dnsd.listen[0]);
  assert.equal(`${dhcpd.nextServer}:${rack.servers.tftpPort}`, tftpd.listen);
  assert.equal(site.apiEndpoint, api.listen);
});

test("every simulated machine is expected, with three interfaces, and each relay is its segment's gateway", () => {
  const { sections } = load(embeddedSite({ machines: 50, ports, deadlineSeconds: 60 }));
  const { expectedMachines, ipam, rack } = sections as Record<string, any>;
  assert.equal(expectedMachines.length, 50);
  const macs = new Set(expectedMachines.flatMap((machine: any) => machine.interfaces.map(({ mac }: any) => mac)));
  assert.equal(macs.size, 150);
  for (const { name, prefixes } of ipam.segments) assert.equal(rack.segments[name].gateway, prefixes[0].gateway);
});

test("the documented defaults are themselves a valid site", () => {
  load(documentation({ ...siteSchema.shape, ...SECTIONS }));
});

test("a taken port gives way to a free one", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const taken = typeof address === "object" && address !== null ? address.port : assert.fail();
  const free = await freePort("127.0.0.1", taken, ["tcp", "udp"], new Set());
  server.close();
  assert.notEqual(free, taken);
});

test("artefacts say that they are for demonstration, and are never written over", () => {
  const folder = join(dir, "artefacts");
  assert.ok(writeArtefacts(folder) > 0);
  const loader = join(folder, "ipxe", "snponly.efi");
  assert.match(readFileSync(loader, "utf8"), /^Firstlight demonstration artefact ipxe\/snponly\.efi: not bootable/);
  writeFileSync(loader, "a real one");
  assert.equal(writeArtefacts(folder), 0);
  assert.equal(statSync(loader).size, 10);
});

test("the resolver's daemon runs where the site wants it, the rack where somebody asks for it", () => {
  assert.ok(!daemonsOf({}, false).has("rack"));
  assert.ok(!daemonsOf({ unboundConfig: { enabled: false } }, true).has("unbound-config"));
  assert.ok(daemonsOf({ unboundConfig: { enabled: true } }, true).has("unbound-config"));
  assert.ok(daemonsOf({}, true).has("rack") && daemonsOf({}, true).has("dhcpd"));
});
