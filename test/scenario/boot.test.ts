import assert from "node:assert/strict";
import { test } from "node:test";
import { testCollector } from "@firstlight/kit";
import { live, skip } from "./live.ts";

/** From DISCOVER to phone-home, and who makes the span. */
const WHOLE_BOOT = [
  "dhcpd dhcp.discover",
  "dhcpd dhcp.offer",
  "api dhcp.ack",
  "pxe-http pxe.script",
  "pxe-http pxe.artefact",
  "pxe-http pxe.cloud-init",
  "api pxe.phone-home",
];

test(
  "one command boots a rack: exit 0, each machine Ready with three addresses of its own, each boot one trace",
  { skip, timeout: 180_000 },
  async ({ signal }) => {
    await using collector = await testCollector();
    const asked = ["--rack", "--machines", "3", "--exit-when-ready", "--timeout", "120"];
    await using site = await live(signal, asked, { TRACES__ENDPOINT: collector.endpoint });
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
      "the ROM that boots by TFTP is among them",
    );
    for (const boot of boots) {
      for (const part of WHOLE_BOOT) assert.ok(boot.has(part), `${part} is not in ${[...boot].join(", ")}`);
    }
  },
);

test(
  "a rack that cannot boot ends with its reasons, machine by machine",
  { skip, timeout: 180_000 },
  async ({ signal }) => {
    const nobody = { RACK__SERVERS__DHCP: "127.0.0.1:9" };
    await using site = await live(signal, ["--rack", "--machines", "2", "--exit-when-ready", "--timeout", "3"], nobody);
    assert.notEqual(await site.exited, 0);
    for (const line of [
      /^r1-m01: is discovered, not ready$/,
      /^r1-m02: host_bmc 02:f1:00:00:00:11 has no address$/,
      /r1-m02 +dpu +FAILED in dhcp\.(start|note): not done within 3 s/,
      /^Not all machines were Ready within 3 s\.$/,
    ]) {
      assert.ok(
        site.output.some((said) => line.test(said)),
        `${line} in:\n${site.output.join("\n")}`,
      );
    }
    assert.equal(site.output.at(-1), "Everything has stopped.");
  },
);
