import assert from "node:assert/strict";
import { test } from "node:test";
import { type InterfaceReport, printMachine, printStep, type Step, STEPS, type StepName } from "../src/main.ts";

const step = (name: StepName, detail: Step["detail"] = {}): Step => ({
  machine: "r1-m01",
  role: "host",
  mac: "02:f1:00:00:00:00",
  at: 1234,
  step: name,
  detail,
});

const LINES: readonly [Step, string | undefined][] = [
  [step("power-on", { firmware: "UEFI PXE" }), "   1.23 s  r1-m01   host has power: UEFI PXE"],
  [
    step("dhcp.bound", { address: "127.66.0.16", name: "r1-m01.rack.internal" }),
    "   1.23 s  r1-m01   host holds 127.66.0.16 as r1-m01.rack.internal",
  ],
  [
    step("tftp.fetched", { file: "t/1/snponly.efi", bytes: 9 }),
    "   1.23 s  r1-m01   host fetched snponly.efi over TFTP, 9 bytes",
  ],
  [step("ready", { runs: "system" }), "   1.23 s  r1-m01   host is done: system runs"],
  [step("dhcp.start"), undefined],
  [step("dns.retry", { because: "\u001B[2Jx\n" }), "   1.23 s  r1-m01   host is not in DNS yet: ?[2Jx?"],
];

test("a step prints as one line without control characters", () => {
  for (const [told, line] of LINES) assert.equal(printStep(told), line);
});

test("every step prints as one line without its details", () => {
  for (const name of Object.keys(STEPS) as StepName[]) assert.doesNotMatch(printStep(step(name)) ?? "", /\n/);
});

test("a machine prints as one line with its addresses or its last step", () => {
  const nameless = { mac: "", timeline: [] };
  const up: InterfaceReport = { ...nameless, role: "host_bmc", done: true, address: "127.64.0.16" };
  const because = "not done within 5 s";
  const hung: InterfaceReport = { ...nameless, role: "host", done: false, hangsIn: "dhcp.start", because };
  const report = { name: "r1-m01", serial: "FL-SIM-00001", done: false, ms: 5000, interfaces: [hung, up] };
  assert.equal(
    printMachine(report),
    "FAILED  r1-m01      5.0 s  host hangs in dhcp.start: not done within 5 s, bmc 127.64.0.16",
  );
});
