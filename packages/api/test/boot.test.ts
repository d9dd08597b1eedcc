import assert from "node:assert/strict";
import test from "node:test";
import { ApiUnavailable, type BootEvent, type Decision } from "@firstlight/api-client";
import type { Span } from "@firstlight/service";
import { addressOf, BMC, DPU, HOST, openHouse, STRANGER, TRACE } from "./house.ts";

const script = (mac: string, decision: Decision, id = crypto.randomUUID()): BootEvent => ({
  id,
  at: Date.now(),
  kind: "pxe.script",
  mac,
  address: addressOf(mac),
  trace: TRACE,
  detail: { action: decision.action, version: String(decision.version), machine: decision.machineName },
});

test("a machine goes from the expected list to Ready, to a tenant, through cleanup and to Ready again", async () => {
  await using house = await openHouse();
  const pxe = await house.api("pxe-http");
  const { machines } = await house.operator();
  const ask = (mac: string): Promise<Decision> =>
    pxe.decide({ mac, address: addressOf(mac), arch: "x86_64", trace: TRACE });
  const home = (mac: string, token: string) =>
    pxe.phoneHome({ mac, address: addressOf(mac), token, trace: TRACE, detail: { kernel: "6.12" } });
  const state = async (): Promise<number> => (await machines.getMachine({ machine: "r1-m01" })).machine!.state;

  const first = await ask(HOST);
  assert.deepEqual([first.action, first.role, first.machineName, first.version], ["discover", "host", "r1-m01", 1]);
  assert.equal((await ask(BMC)).action, "wait");
  assert.equal((await ask(BMC)).token, "");
  const dpu = await ask(DPU);
  assert.notEqual(dpu.token, first.token);

  await pxe.report([script(HOST, first)]);
  assert.equal(await state(), 2);
  assert.equal((await home(HOST, dpu.token)).state, "booting"); // a DPU's token says nothing of the host
  assert.equal((await home(HOST, first.token)).state, "booting");
  assert.equal((await home(DPU, dpu.token)).state, "ready");
  assert.equal((await home(DPU, dpu.token)).state, "ready"); // tried again: the answer was lost
  assert.equal((await ask(HOST)).action, "local-disk");

  await machines.assignMachine({
    machine: "r1-m01",
    tenant: "blue",
    script: "chain http://blue/",
    userData: "#cloud-config",
  });
  const tenant = await ask(HOST);
  assert.deepEqual([tenant.action, tenant.script, tenant.userData], ["tenant", "chain http://blue/", "#cloud-config"]);
  assert.equal((await ask(DPU)).action, "local-disk");
  await machines.releaseMachine({ machine: "r1-m01" });
  assert.equal((await home(HOST, tenant.token)).state, "cleaning"); // the tenant's system, still running
  const cleanup = await ask(HOST);
  assert.deepEqual([cleanup.action, cleanup.script], ["cleanup", undefined]);
  assert.equal((await home(HOST, cleanup.token)).state, "ready");

  const { events } = await machines.getTimeline({ machine: "r1-m01" });
  const moves = events
    .filter(({ kind }) => kind === "machine.state")
    .map(({ detail }) => `${detail["from"]} ${detail["to"]}`);
  assert.deepEqual(moves, [
    "discovered booting",
    "booting ready",
    "ready assigned",
    "assigned cleaning",
    "cleaning ready",
  ]);
  const refused = events.filter(({ kind, because }) => kind === "pxe.phone-home" && because !== "");
  assert.deepEqual(
    refused.map(({ because }) => because),
    ["token-of-another-task", "parts-missing", "token-of-another-task"],
  );
});

test("the whole life is on the timeline, boot by boot: a second boot to local disk is one of its own", async () => {
  await using house = await openHouse();
  const [dhcp, pxe] = [await house.api("dhcpd"), await house.api("pxe-http")];
  const { machines } = await house.operator();
  let now = Date.now();
  let boots = 0;

  /** One boot of the host as the daemons tell it; its system phones home where `isUp`. */
  const boot = async (isUp: boolean): Promise<Decision> => {
    const trace = String(++boots).padStart(32, "0");
    const common = { mac: HOST, address: addressOf(HOST), trace };
    await dhcp.report([{ ...common, id: `ack-${boots}`, at: now++, kind: "dhcp.ack" }]);
    const decision = await pxe.decide(common);
    await pxe.report([{ ...script(HOST, decision), ...common, at: now++ }]);
    if (isUp) await pxe.phoneHome({ ...common, token: decision.token, detail: {} });
    now = Date.now() + 1;
    return decision;
  };

  const dpu = await pxe.decide({ mac: DPU, address: addressOf(DPU) });
  await pxe.phoneHome({ mac: DPU, address: addressOf(DPU), token: dpu.token, detail: {} });
  const decisions = [await boot(true), await boot(false)];
  await machines.assignMachine({ machine: "r1-m01", tenant: "blue", script: "chain http://blue/" });
  decisions.push(await boot(false));
  await machines.releaseMachine({ machine: "r1-m01" });
  decisions.push(await boot(true), await boot(false));

  const actions = ["discover", "local-disk", "tenant", "cleanup", "local-disk"];
  assert.deepEqual(
    decisions.map(({ action }) => action),
    actions,
  );
  assert.equal(decisions[2]?.script, "chain http://blue/");
  const { events } = await machines.getTimeline({ machine: "r1-m01" });
  const told = Map.groupBy(
    events.filter(({ mac, trace }) => mac === HOST && trace !== ""),
    ({ trace }) => trace,
  );
  assert.deepEqual(
    [...told.values()].map((one) => [one.find(({ kind }) => kind === "pxe.script")?.detail["action"], one.length]),
    [
      ["discover", 3],
      ["local-disk", 2],
      ["tenant", 2],
      ["cleanup", 3],
      ["local-disk", 2],
    ],
  );
  assert.equal((await machines.getMachine({ machine: "r1-m01" })).machine?.state, 3);
});

test("a MAC nobody expected becomes a machine of its own, with what was told of it before", async () => {
  await using house = await openHouse();
  const dhcp = await house.api("dhcpd");
  const { machines } = await house.operator();
  const at = Date.now();
  await dhcp.report([{ id: "d1", at, kind: "dhcp.discover", mac: STRANGER, detail: { relay: "127.64.0.1" } }]);
  assert.equal((await machines.listMachines({})).machines.length, 1);
  assert.deepEqual(
    (await machines.getTimeline({ machine: STRANGER })).events.map(({ id }) => id),
    ["d1"],
  );

  await dhcp.report([{ id: "lease:e:1", at: at + 1, kind: "dhcp.ack", mac: STRANGER, address: addressOf(STRANGER) }]);
  const { machine } = await machines.getMachine({ machine: "m-02aa00000001" });
  assert.deepEqual(
    [machine?.state, machine?.expected, machine?.interfaces[0]?.address],
    [1, false, addressOf(STRANGER)],
  );
  assert.equal(machine?.interfaces[0]?.fqdn, "127-64-0-99.lab.test");
  const { events } = await machines.getTimeline({ machine: "m-02aa00000001" });
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["dhcp.discover", "dhcp.ack"],
  );

  const pxe = await house.api("pxe-http");
  const decision = await pxe.decide({ mac: STRANGER, address: addressOf(STRANGER) });
  assert.equal(decision.action, "discover");
  const home = { mac: STRANGER, address: addressOf(STRANGER), token: decision.token, detail: {} };
  assert.equal((await pxe.phoneHome(home)).state, "ready");
});

test("an address that is not leased to the MAC gets no decision", async () => {
  await using house = await openHouse();
  const pxe = await house.api("pxe-http");
  await assert.rejects(pxe.decide({ mac: HOST, address: addressOf(STRANGER) }), (error: Error) => {
    assert.ok(error instanceof ApiUnavailable);
    assert.match(error.message, /127\.64\.0\.99 is not leased to 02:f1:00:00:00:01/);
    return true;
  });
  await assert.rejects(
    pxe.phoneHome({ mac: STRANGER, address: addressOf(HOST), token: "", detail: {} }),
    ApiUnavailable,
  );
});

test("a boot's spans that no daemon can make for itself are made once, by the API that stores their events", async () => {
  const spans: Span[] = [];
  await using house = await openHouse({}, { span: (span) => spans.push(span) });
  const [one, other] = [await house.api("dhcpd"), await house.api("dhcpd")];
  const ack: BootEvent = { id: "lease:e:1", at: Date.now(), kind: "dhcp.ack", mac: HOST, trace: TRACE };
  const position = { epoch: "e", position: 1 };
  await Promise.all([one.report([ack], position), other.report([ack], position), one.report([ack], position)]);
  const pxe = await house.api("pxe-http");
  for (const mac of [DPU, HOST]) {
    const decision = await pxe.decide({ mac, address: addressOf(mac), trace: TRACE });
    await pxe.report([script(mac, decision)]); // its span is the reporter's
    const home = { mac, address: addressOf(mac), token: decision.token, trace: TRACE, detail: {} };
    await pxe.phoneHome(home);
    await pxe.phoneHome(home); // the answer was lost
  }
  assert.deepEqual(
    spans.map(({ name, attributes }) => [name, attributes["detail.to"]]),
    [
      ["dhcp.ack", undefined],
      ["machine.state", "booting"],
      ["pxe.phone-home", undefined],
      ["pxe.phone-home", undefined],
      ["machine.state", "ready"],
    ],
  );
  assert.deepEqual(new Set(spans.map(({ trace }) => trace)), new Set([TRACE]));
});
