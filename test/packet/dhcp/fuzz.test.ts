import assert from "node:assert/strict";
import { test } from "node:test";
import { LAB } from "@firstlight/kit";
import * as fc from "fast-check";
import { get } from "@firstlight/wire/dhcp4";
import { requestsIn } from "@firstlight/kit/dhcp4";
import { dora, lab } from "./lab.ts";

const seeds = ["seabios-ipxe-rom", "uefi-x64-httpboot-dnsmasq", "uboot-arm64", "networkd-relayed-opt82-serverside"]
  .flatMap((name) => requestsIn(name).slice(0, 3))
  .map(({ payload }) => payload);

/** Anything at all, and real packets with a few bytes changed or the end cut off. */
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 700 }),
  fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 12 }), fc.nat())
    .map(([seed, edits, cut]) => {
      const bytes = Uint8Array.from(seed);
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      return cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
    }),
);

test("any bytes on the port: no crash, and the next machine is served", async () => {
  await using on = await lab();
  for (const [n, bytes] of fc.sample(hostile, { numRuns: 1500, seed: 67 }).entries()) {
    on.relay.port.send(bytes, on.server);
    if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  let answer = await dora(on.relay, LAB.mac).catch(() => undefined);
  for (let n = 0; n < 50 && answer?.answer.yiaddr !== answer?.offer.yiaddr; n++) {
    answer = await dora(on.relay, LAB.mac).catch(() => undefined); // replies to the flood may stand in between
  }
  assert.ok(answer);
  const silences = await on.metrics.getSingleMetricAsString("firstlight_dhcp_silences_total");
  assert.match(silences, /because="no-dhcp-cookie"/, "what was nonsense is counted with its reason");
  assert.equal(get(answer.answer.options, "messageType"), "ACK");
});
