import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { STATES } from "@firstlight/api-client";
import { isMalformed, parseIPv4 } from "@firstlight/wire";
import { decode, encode, query } from "@firstlight/wire/dns";
import type { Machine } from "../src/commands/machines.ts";
import { type Expected, recordOf, shortcomings } from "../src/up/evidence.ts";
import { openResolver } from "../src/up/lookup.ts";

const HOST = { mac: "02:00:00:00:00:01", role: "host" } as const;
const BMC = { mac: "02:00:00:00:00:02", role: "host_bmc" } as const;
const EXPECTED: Expected = { name: "m1", interfaces: [HOST, BMC] };

const machine = (state: number, ...interfaces: readonly Partial<Machine["interfaces"][number]>[]): Machine =>
  ({
    name: "m1",
    state,
    interfaces: interfaces.map((one) => ({ address: "", fqdn: "", ...one })),
  }) as unknown as Machine;

test("a machine counts when it is ready and each expected interface has an address of its own and a name", () => {
  const host = { ...HOST, address: "127.66.0.9", fqdn: "m1.lab" };
  const bmc = { ...BMC, address: "127.64.0.9", fqdn: "m1-bmc.lab" };
  assert.deepEqual(shortcomings(EXPECTED, machine(STATES.ready, host, bmc), new Map()), []);
  assert.deepEqual(shortcomings(EXPECTED, machine(STATES.booting, host, bmc), new Map()), ["is booting, not ready"]);
  assert.deepEqual(shortcomings(EXPECTED, undefined, new Map()), ["the API does not know it"]);
  assert.deepEqual(shortcomings(EXPECTED, machine(STATES.ready, host), new Map()), [
    `host_bmc ${BMC.mac} has no address`,
  ]);
  assert.deepEqual(shortcomings(EXPECTED, machine(STATES.ready, host, { ...bmc, fqdn: "" }), new Map()), [
    "host_bmc 127.64.0.9 has no name",
  ]);
});

test("an address that two interfaces have is said, across machines too", () => {
  const host = { ...HOST, address: "127.66.0.9", fqdn: "m1.lab" };
  const twin = { ...BMC, address: "127.66.0.9", fqdn: "m1-bmc.lab" };
  assert.deepEqual(shortcomings(EXPECTED, machine(STATES.ready, host, twin), new Map()), [
    `host_bmc has 127.66.0.9, and so has ${HOST.mac}`,
  ]);
});

const event = (kind: string, { mac }: { readonly mac: string }, second: number, trace = "") => ({
  at: { $typeName: "google.protobuf.Timestamp" as const, seconds: BigInt(second), nanos: 0 },
  kind,
  mac,
  trace,
});

test("a boot is on record when each interface's promise is, and the host's script; an earlier boot's do not count", () => {
  const machines = [HOST, BMC];
  const boot = [event("dhcp.ack", HOST, 10), event("dhcp.ack", BMC, 11), event("pxe.script", HOST, 12)];
  assert.deepEqual(recordOf(boot, machines, 10_000), { bootSeconds: 2, missing: [] });
  assert.deepEqual(recordOf(boot, machines, 11_000).missing, ["host has no dhcp.ack on record"]);
  assert.deepEqual(recordOf([], machines, 0).missing, [
    "host has no dhcp.ack on record",
    "host_bmc has no dhcp.ack on record",
    "host fetched no boot script",
  ]);
  const offered = event("dhcp.offer", BMC, 11);
  assert.deepEqual(recordOf([boot[0]!, offered, boot[2]!], machines, 0).missing, [
    "host_bmc has no dhcp.ack on record",
  ]);
});

test("a promise bears the database's time: where that is behind, the boot's trace tells that it counts", () => {
  const boot = [
    event("dhcp.ack", HOST, 8, "a"),
    event("dhcp.ack", HOST, 9, "b"),
    event("dhcp.discover", HOST, 10, "b"),
    event("pxe.script", HOST, 11, "b"),
  ];
  assert.deepEqual(recordOf(boot, [HOST], 10_000), { bootSeconds: 2, missing: [] });
  assert.deepEqual(recordOf(boot.slice(0, 1), [HOST], 10_000).missing.length, 2);
});

/** A name server of two records, right or wrong. */
async function nameServer(forward: string, back: string) {
  const address = parseIPv4(forward);
  if (isMalformed(address)) throw new Error(forward);
  const socket = createSocket("udp4");
  socket.on("message", (bytes, from) => {
    const asked = decode(bytes);
    if (isMalformed(asked)) return;
    const [question] = asked.questions;
    if (question === undefined) return;
    const isForward = question.type === 1;
    const data = isForward ? ({ is: "A", address } as const) : ({ is: "PTR", host: back } as const);
    const record = { owner: question.name, type: question.type, class: 1, ttlSeconds: 1, data };
    const answer = encode({
      ...query({ id: asked.id, name: question.name, type: question.type }),
      isResponse: true,
      answers: [record],
    });
    if (!isMalformed(answer)) socket.send(answer, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { at: `127.0.0.1:${socket.address().port}`, [Symbol.dispose]: () => socket.close() };
}

test("a name counts when it leads to its address and the address back to it", async () => {
  using good = await nameServer("127.66.0.9", "m1.lab");
  assert.equal(await openResolver(good.at)("m1.lab", "127.66.0.9"), undefined);
  assert.equal(await openResolver(good.at)("m1.lab", "127.66.0.8"), "m1.lab leads to 127.66.0.9, not to 127.66.0.8");
  using wrong = await nameServer("127.66.0.9", "m2.lab");
  assert.match(
    String(await openResolver(wrong.at)("m1.lab", "127.66.0.9")),
    /^9\.0\.66\.127\.in-addr\.arpa leads to m2\.lab/,
  );
});
