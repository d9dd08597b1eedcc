import assert from "node:assert/strict";
import { test } from "node:test";
import { testCollector } from "@firstlight/kit";
import { startSite, skip } from "./running-site.ts";

/** The spans of a boot, from DISCOVER to phone-home, each with the daemon that records it. */
const BOOT_SPANS = [
  "dhcpd dhcp.discover",
  "dhcpd dhcp.offer",
  "api dhcp.ack",
  "pxe-http pxe.script",
  "pxe-http pxe.artefact",
  "pxe-http pxe.cloud-init",
  "api pxe.phone-home",
];

test("one command boots a rack of three machines and exits 0", { skip, timeout: 180_000 }, async ({ signal }) => {
  await using collector = await testCollector();
  const args = ["--rack", "--machines", "3", "--exit-when-ready", "--timeout", "120"];
  await using site = await startSite(signal, args, { TRACES__ENDPOINT: collector.endpoint });
  assert.equal(await site.exited, 0, site.output.join("\n"));
  assert.ok(site.output.includes("All 3 machines are Ready."), site.output.join("\n"));
  const rows = site.output
    .map((line) => line.split(/\s+/))
    .filter(([name, state]) => /^r1-m\d\d$/.test(name!) && state === "ready");
  assert.deepEqual(
    rows.map(([name]) => name),
    ["r1-m01", "r1-m02", "r1-m03"],
  );
  const addresses = rows.flatMap(([, , ...rest]) => rest.slice(0, 3));
  assert.equal(new Set(addresses).size, 9);
  for (const address of addresses) assert.match(address, /^127\.6[456]\.\d+\.\d+$/);
  assert.equal(site.output.at(-1), "Everything has stopped.");

  const boots = Map.groupBy(collector.spans, ({ traceId }) => traceId)
    .values()
    .filter((spans) => spans.some(({ name }) => name === "pxe.script"))
    .map((spans) => new Set(spans.map(({ service, name }) => `${service} ${name}`)))
    .toArray();
  assert.ok(boots.length >= 6, `${boots.length} boots of three hosts and their DPUs`);
  assert.ok(
    boots.some((boot) => boot.has("tftpd tftp.end")),
    "no boot used TFTP",
  );
  for (const boot of boots) {
    for (const part of BOOT_SPANS) assert.ok(boot.has(part), `${part} is not in ${[...boot].join(", ")}`);
  }
});

test("a rack that cannot boot ends with a reason for each machine", { skip, timeout: 180_000 }, async ({ signal }) => {
  const nobodyListens = { RACK__SERVERS__DHCP: "127.0.0.1:9" };
  await using site = await startSite(
    signal,
    ["--rack", "--machines", "2", "--exit-when-ready", "--timeout", "3"],
    nobodyListens,
  );
  assert.notEqual(await site.exited, 0);
  for (const line of [
    /^r1-m01: is discovered, not ready$/,
    /^r1-m02: host_bmc 02:f1:00:00:00:11 has no address$/,
    /r1-m02 +dpu +FAILED in dhcp\.(start|note): not done within 3 s/,
    /^Not all machines were Ready within 3 s\.$/,
  ]) {
    assert.ok(
      site.output.some((text) => line.test(text)),
      `${line} in:\n${site.output.join("\n")}`,
    );
  }
  assert.equal(site.output.at(-1), "Everything has stopped.");
});
