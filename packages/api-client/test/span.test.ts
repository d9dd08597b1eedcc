import assert from "node:assert/strict";
import test from "node:test";
import { FakeApi, testCollector } from "@firstlight/kit";
import { createMetrics, createTraces, type SiteConfig, siteSchema } from "@firstlight/service";
import { pino } from "pino";
import type { BootEvent } from "../src/api.ts";
import { createReporter } from "../src/reporter.ts";
import { traceEvent } from "../src/span.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const AT = 1_800_000_000_000;
const nanos = (ms: number): string => `${ms}000000`;

function siteTo(endpoint: string | undefined): SiteConfig {
  const traces = { ...(endpoint !== undefined && { endpoint }) };
  return { ...siteSchema.parse({ traces }), trust: { dir: "" } };
}

/** The reporter of a daemon whose site sends its spans there. */
async function daemon(name: string, endpoint: string) {
  const metrics = createMetrics("lab", name);
  const traces = await createTraces(siteTo(endpoint), name, metrics);
  const api = new FakeApi();
  const reporter = await createReporter({
    api,
    traces,
    metrics,
    spoolFile: { load: () => Promise.resolve([]), save: () => Promise.resolve() },
    clock: { now: () => AT },
    log: pino({ enabled: false }),
  });
  const stop = async (): Promise<void> => {
    await reporter[Symbol.asyncDispose]();
    await traces?.stop();
  };
  return { reporter, metrics, stop };
}

test("events of one boot from two daemons form one trace", async () => {
  await using collector = await testCollector();
  const dhcpd = await daemon("dhcpd", collector.endpoint);
  const tftpd = await daemon("tftpd", collector.endpoint);
  const boot = { mac: "02:f1:00:00:00:01", address: "127.64.0.11", trace: TRACE };
  dhcpd.reporter.report({ ...boot, kind: "dhcp.offer", because: "PXE boot", detail: { stage: "rom" } });
  tftpd.reporter.report({ ...boot, kind: "tftp.end", because: "sent", detail: { file: "snponly.efi", ms: "117" } });
  tftpd.reporter.report({ kind: "tftp.refused", because: "of no boot" });
  tftpd.reporter.report({ kind: "tftp.refused", because: "of a made-up one", trace: "0".repeat(32) });
  await Promise.all([dhcpd.stop(), tftpd.stop()]);

  const [offer, transfer, ...more] = collector.spans.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  assert.deepEqual(more, []);
  assert.deepEqual([offer?.service, transfer?.service], ["dhcpd", "tftpd"]);
  assert.deepEqual([offer?.name, transfer?.name], ["dhcp.offer", "tftp.end"]);
  assert.deepEqual([offer?.traceId, transfer?.traceId], [TRACE, TRACE]);
  assert.deepEqual([offer?.parentSpanId, transfer?.parentSpanId], ["0af7651916cd43dd", "0af7651916cd43dd"]);
  assert.notEqual(offer?.spanId, transfer?.spanId);
  assert.deepEqual([offer?.startTimeUnixNano, offer?.endTimeUnixNano], [nanos(AT), nanos(AT)]);
  assert.deepEqual([transfer?.startTimeUnixNano, transfer?.endTimeUnixNano], [nanos(AT - 117), nanos(AT)]);
  assert.deepEqual(offer?.attributes, {
    "machine.mac": boot.mac,
    "machine.address": boot.address,
    because: "PXE boot",
    "detail.stage": "rom",
  });
  assert.match(await tftpd.metrics.metrics(), /firstlight_spans_total\{outcome="sent",[^}]*\} 1\n/);
});

test("spans that the collector rejects are counted", async () => {
  await using collector = await testCollector();
  const { reporter, metrics, stop } = await daemon("dhcpd", `${collector.endpoint}/elsewhere`);
  reporter.report({ kind: "dhcp.offer", trace: TRACE });
  await assert.rejects(stop(), /Not Found/);
  assert.match(await metrics.metrics(), /firstlight_spans_total\{outcome="lost",[^}]*\} 1\n/);
});

test("without a collector there are no spans", async () => {
  assert.equal(await createTraces(siteTo(undefined), "dhcpd", createMetrics("lab", "dhcpd")), undefined);
});

test("a duration that a machine reports is ignored", () => {
  const spans: { from: number; to: number }[] = [];
  const traces = { span: (span: { from: number; to: number }) => spans.push(span) };
  const event: BootEvent = { id: "a", at: AT, kind: "pxe.phone-home", trace: TRACE, detail: { ms: "1e300" } };
  traceEvent(traces, event);
  assert.deepEqual(
    spans.map(({ from, to }) => [from, to]),
    [[AT, AT]],
  );
});
