import assert from "node:assert/strict";
import { test } from "node:test";
import { get, getRelay } from "@firstlight/wire/dhcp4";
import { isMalformed } from "@firstlight/wire";
import { fleet, powerOn, printMachine, printStep, type RackReport, type Role, type Step } from "../src/main.ts";
import { openSite, story } from "./site/site.ts";

const skip = process.platform === "linux" ? false : "only Linux lets one bind any address of 127.0.0.0/8";
const of = (report: RackReport, machine: number, role: Role) =>
  report.machines[machine]!.interfaces.find((each) => each.role === role)!;

const SYSTEM = [
  "os.boot",
  "dhcp.start",
  "dhcp.bound",
  "dns.resolved",
  "http.fetched",
  "http.fetched",
  "phone-home",
  "ready",
];
const IPXE = ["dhcp.start", "dhcp.bound", "ipxe.script", "http.fetched", "http.fetched"];
const TFTP = ["dhcp.start", "dhcp.bound", "tftp.probe", "tftp.fetched"];
const HTTP = ["dhcp.start", "dhcp.bound", "http.probe", "http.fetched"];

test("three machines with different firmware boot from power-on to phone-home", { skip }, async () => {
  await using site = await openSite();
  const told: Step[] = [];
  const report = await powerOn(site.options(), (step) => told.push(step));
  assert.equal(report.done, 3, told.flatMap((step) => printStep(step) ?? []).join("\n"));

  assert.deepEqual(story(of(report, 0, "host_bmc").timeline), [
    "power-on",
    "dhcp.start",
    "dhcp.bound",
    "dns.resolved",
    "ready",
  ]);
  assert.deepEqual(story(of(report, 0, "dpu_oob").timeline), ["power-on", ...HTTP, ...IPXE, ...SYSTEM]);
  assert.deepEqual(story(of(report, 0, "host").timeline), ["power-on", ...IPXE, ...SYSTEM], "BIOS with an iPXE ROM");
  assert.deepEqual(story(of(report, 1, "host").timeline), ["power-on", ...TFTP, ...IPXE, ...SYSTEM], "UEFI PXE");
  assert.deepEqual(story(of(report, 2, "host").timeline), ["power-on", ...HTTP, ...IPXE, ...SYSTEM], "UEFI HTTP Boot");

  const interfaces = report.machines.flatMap((machine) => machine.interfaces);
  assert.equal(new Set(interfaces.map(({ address }) => address)).size, 9, "nine interfaces, nine addresses");
  for (const { mac, address, name } of interfaces) {
    assert.equal(site.dhcp.leases.get(address!), mac, "it reports the address that the server gave to its MAC");
    assert.equal(name, `${address!.replaceAll(".", "-")}.rack.test`);
  }
  const booted = interfaces.filter(({ role }) => role !== "host_bmc");
  assert.deepEqual([...site.http.homes.keys()].toSorted(), booted.map(({ address }) => address!).toSorted());
  assert.ok([...site.http.homes.values()].every((form) => form.get("token") === "secret" && form.has("serial")));
  assert.ok(
    site.http.requests.every((request) => !request.endsWith("from 127.0.0.1")),
    "no request but from a lease",
  );
  assert.deepEqual(site.tftp.ends, ["snponly.efi ERROR 8", "snponly.efi sent"], "EDK2 probes, then reads");

  assert.deepEqual(told.length, interfaces.flatMap(({ timeline }) => timeline).length, "every step is told once");
  for (const { timeline } of interfaces) {
    assert.deepEqual(
      timeline.map(({ at }) => at),
      timeline.map(({ at }) => at).toSorted((a, b) => a - b),
    );
  }
});

test("the relay sets giaddr, hops, option 82 and the port of RFC 8357", { skip }, async () => {
  await using site = await openSite();
  await powerOn(site.options({ machines: 2 }), () => {});
  const ports = new Map<number, Set<number>>();
  for (const { message, from } of site.dhcp.requests) {
    assert.equal(from.address, message.giaddr);
    assert.equal(message.hops, 1);
    const agent = get(message.options, "relayAgent");
    assert.ok(agent !== undefined && !isMalformed(agent));
    const machine = message.chaddr[5]! >> 4;
    assert.equal(Buffer.from(getRelay(agent, "circuitId") as Uint8Array).toString(), `swp${machine + 1}`);
    assert.match(
      Buffer.from(getRelay(agent, "remoteId") as Uint8Array).toString(),
      /^(bmc|dpu|host)-tor-127\.7[234]\.0\.1$/,
    );
    assert.equal(getRelay(agent, "relaySourcePort"), true);
    assert.equal([...message.options.keys()].at(-1), 82, "RFC 3046 §2.1: the last option");
    ports.set(message.giaddr, (ports.get(message.giaddr) ?? new Set()).add(from.port));
  }
  assert.deepEqual(
    [...ports.values()].map(({ size }) => size),
    [1, 1, 1],
    "three relays, one port each",
  );
});

test("a power-cycled host boots its local disk", { skip }, async () => {
  await using site = await openSite();
  const report = await powerOn(site.options({ machines: 2, powerCycle: true }), () => {});
  assert.equal(report.done, 2);
  const disks = report.machines.map((_, machine) => {
    const { timeline } = of(report, machine, "host");
    assert.equal(timeline.filter(({ step }) => step === "power-on").length, 2);
    assert.equal(timeline.at(-1)!.detail["runs"], "local disk");
    return timeline.find(({ step }) => step === "local-disk")!.detail["by"];
  });
  assert.deepEqual(disks, ["sanboot", "exit"]);
});

test("a boot survives a NAK, a busy site and late DNS names", { skip }, async () => {
  await using site = await openSite();
  site.dhcp.moods.push("nak");
  site.http.busy = 1;
  site.dns.lags = 5;
  const report = await powerOn(site.options({ machines: 1 }), () => {});
  assert.equal(report.done, 1);
  const steps = report.machines[0]!.interfaces.flatMap(({ timeline }) => timeline);
  const retry = steps.find(({ step }) => step === "http.retry")!;
  assert.deepEqual([retry.detail["because"], retry.detail["waitMs"]], ["POST /phone-home: 503 not now", 500]);
  assert.equal(site.http.homes.size, 2);
});

test("a failed machine is reported with its last step and the reason", { skip }, async () => {
  await using site = await openSite();
  site.http.script = "#!ipxe\nkernel http://127.0.0.1:9/vmlinuz ${nothing\nnonsense\n";
  const told: Step[] = [];
  const report = await powerOn(site.options({ machines: 1, deadlineSeconds: 2 }), (step) => told.push(step));
  assert.equal(report.done, 0);
  const [machine] = report.machines;
  assert.deepEqual(
    machine!.interfaces.map(({ role, done }) => [role, done]),
    [
      ["host", false],
      ["host_bmc", true],
      ["dpu_oob", false],
    ],
  );
  const host = of(report, 0, "host");
  assert.equal(host.hangsIn, "http.retry");
  assert.equal(host.because, "not done within 2 s");
  assert.match(printMachine(machine!), /^FAILED {2}r1-m01 .* host hangs in http\.retry: not done within 2 s/);
  assert.equal(told.filter(({ step }) => step === "failed").length, 2);
});

test("a failed boot is retried and its reason is kept", { skip }, async () => {
  await using site = await openSite();
  site.http.script = "#!ipxe\nnonsense\n";
  const record = (step: Step): void => {
    if (step.step === "boot.retry") site.http.script = undefined; // the operator mends it
  };
  const report = await powerOn(site.options({ machines: 1 }), record);
  assert.equal(report.done, 1);
  const { timeline } = of(report, 0, "host");
  const retry = timeline.find(({ step }) => step === "boot.retry")!;
  assert.deepEqual(retry.detail, { because: "iPXE has no command nonsense here", waitMs: 2000 });
  assert.equal(timeline.filter(({ step }) => step === "power-on").length, 2);
});

test("running systems renew at T1 by unicast until the power is cut", { skip }, async () => {
  await using site = await openSite();
  site.dhcp.leaseSeconds = 2;
  const power = new AbortController();
  const renewed = Promise.withResolvers<Step>();
  const options = { ...site.options({ machines: 1 }), stay: true, signal: power.signal };
  const report = await powerOn(options, (step) => step.step === "dhcp.renewed" && renewed.resolve(step));
  assert.equal(report.done, 1);
  const step = await renewed.promise;
  power.abort();
  const renewals = site.dhcp.requests.filter(({ message }) => message.ciaddr !== 0);
  assert.ok(renewals.length > 0);
  for (const { message, from } of renewals) assert.deepEqual([from.address, message.giaddr], [message.ciaddr, 0]);
  assert.ok(report.machines[0]!.interfaces.some(({ mac }) => mac === step.mac));
});

test("cutting the power ends every boot at once", { skip }, async () => {
  await using site = await openSite();
  site.dhcp.moods.push(...Array<"silent">(100).fill("silent"));
  const power = new AbortController();
  const booting = powerOn({ ...site.options(), signal: power.signal }, () => {});
  power.abort();
  const report = await booting;
  assert.equal(report.done, 0);
  assert.ok(
    report.machines.every(({ interfaces }) => interfaces.every(({ because }) => because === "the power was cut")),
  );
});

test("a larger fleet contains the machines of a smaller one", () => {
  const many = fleet(5000);
  assert.deepEqual(many.slice(0, 3), fleet(3));
  assert.equal(new Set(many.flatMap(({ interfaces }) => interfaces.map(({ mac }) => mac))).size, 15_000);
  assert.equal(new Set(many.map(({ name }) => name)).size, 5000);
  assert.deepEqual(many[0], {
    name: "r1-m01",
    serial: "FL-SIM-00001",
    interfaces: [
      { role: "host", mac: "02:f1:00:00:00:00" },
      { role: "host_bmc", mac: "02:f1:00:00:00:01" },
      { role: "dpu_oob", mac: "02:f1:00:00:00:02" },
    ],
  });
  assert.equal(many[48]!.name, "r2-m01");
});

test("a rack that stops at the script fetches no kernel or initrd", { skip }, async () => {
  await using site = await openSite();
  const report = await powerOn(site.options({ machines: 1, until: "script" }), () => {});
  assert.deepEqual(story(of(report, 0, "host").timeline), [
    "power-on",
    "dhcp.start",
    "dhcp.bound",
    "ipxe.script",
    "ready",
  ]);
  assert.deepEqual(story(of(report, 0, "dpu_oob").timeline).slice(-2), ["ipxe.script", "ready"]);
  assert.equal(report.done, 1);
});
