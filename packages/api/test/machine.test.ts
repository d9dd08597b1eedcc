import assert from "node:assert/strict";
import test from "node:test";
import { MachineState } from "@firstlight/api-client/gen/firstlight/v1/boot_pb.js";
import { status, type ServiceError } from "@grpc/grpc-js";
import { expected, lease } from "@firstlight/kit";
import { addressOf, BMC, DPU, HOST, openHouse, STRANGER, TRACE } from "./house.ts";

const fails = (code: status, details: RegExp) => (error: ServiceError) => {
  assert.equal(status[error.code], status[code], error.details);
  assert.match(error.details, details);
  return true;
};

test("a machine shows its parts with address, name and segment, as they are now", async () => {
  await using house = await openHouse();
  const { machines } = await house.operator();
  const { machine } = await machines.getMachine({ machine: "r1-m01" });
  assert.deepEqual([machine?.serial, machine?.expected, machine?.version], ["SN1", true, 1n]);
  const parts = machine!.interfaces.map(({ mac, role, address, segment }) => [mac, role, address, segment]);
  assert.deepEqual(parts, [
    [DPU, "dpu_oob", addressOf(DPU), "rack"],
    [HOST, "host", addressOf(HOST), "rack"],
    [BMC, "host_bmc", addressOf(BMC), "rack"],
  ]);
  assert.equal(machine!.interfaces[1]!.fqdn, "127-64-0-11.lab.test");
  house.site.source.push(lease({ interface: 1, identity: HOST, address: addressOf(HOST), state: "released" }));
  await house.site.settled();
  const again = await machines.getMachine({ machine: machine!.id });
  assert.equal(again.machine!.interfaces[1]!.address, "");
});

test("machines are listed in pages, by name, and by state", async () => {
  await using house = await openHouse();
  const dhcp = await house.api("dhcpd");
  const macs = Array.from({ length: 7 }, (_, i) => `02:cc:00:00:00:0${i}`);
  await dhcp.report(macs.map((mac) => ({ id: mac, at: Date.now(), kind: "dhcp.ack", mac, address: "127.64.0.70" })));
  const { machines } = await house.operator();
  const names: string[] = [];
  for (let pageToken = ""; ;) {
    const page = await machines.listMachines({ pageSize: 3, pageToken });
    names.push(...page.machines.map(({ name }) => name));
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  assert.deepEqual(names, [...macs.map((mac) => `m-${mac.replaceAll(":", "")}`), "r1-m01"]);
  assert.equal((await machines.listMachines({ state: MachineState.DISCOVERED })).machines.length, 8);
  assert.equal((await machines.listMachines({ state: MachineState.READY })).machines.length, 0);
});

test("a watcher sees every machine now, then each change", async () => {
  await using house = await openHouse();
  const { machines } = await house.operator();
  const pxe = await house.api("pxe-http");
  const seen: string[] = [];
  const stop = new AbortController();
  const changes = machines.watchMachines({}, { signal: stop.signal })[Symbol.asyncIterator]();
  const next = async (): Promise<void> => {
    const { value } = await changes.next();
    seen.push(`${value.machine.name} ${value.machine.state}`);
  };
  await next();
  for (const mac of [HOST, DPU]) {
    const { token } = await pxe.decide({ mac, address: addressOf(mac) });
    await pxe.phoneHome({ mac, address: addressOf(mac), token, trace: TRACE, detail: {} });
    await next();
  }
  await machines.assignMachine({ machine: "r1-m01", tenant: "blue", script: "exit" });
  await next();
  assert.deepEqual(seen, ["r1-m01 1", "r1-m01 2", "r1-m01 3", "r1-m01 4"]);
  await changes.return?.();
});

test("watchers are bounded, and a place becomes free again", async () => {
  await using house = await openHouse({ maxWatchers: 1 });
  const { machines } = await house.operator();
  const first = machines.watchMachines({})[Symbol.asyncIterator]();
  await first.next();
  await assert.rejects(
    machines.watchMachines({})[Symbol.asyncIterator]().next(),
    fails(status.RESOURCE_EXHAUSTED, /1 watchers already/),
  );
  await first.return?.();
  for (let isFree = false; !isFree;) {
    const again = machines.watchMachines({})[Symbol.asyncIterator]();
    isFree = await again.next().then(
      () => true,
      () => false,
    );
    if (isFree) await again.return?.();
  }
});

test("what cannot be is refused with its reason", async () => {
  await using house = await openHouse();
  const { machines } = await house.operator();
  const nobody = fails(status.NOT_FOUND, /no machine nobody/);
  await assert.rejects(machines.getMachine({ machine: "nobody" }), nobody);
  await assert.rejects(machines.getTimeline({ machine: "nobody" }), nobody);
  await assert.rejects(machines.releaseMachine({ machine: "nobody" }), nobody);
  await assert.rejects(machines.getMachine({}), fails(status.INVALID_ARGUMENT, /^machine: must not be empty/));
  await assert.rejects(
    machines.listMachines({ pageSize: 5_000 }),
    fails(status.INVALID_ARGUMENT, /^page_size: at most 1000/),
  );
  const assign = { machine: "r1-m01", tenant: "blue", script: "exit" };
  await assert.rejects(
    machines.assignMachine(assign),
    fails(status.FAILED_PRECONDITION, /r1-m01 is discovered and cannot be assigned/),
  );
  await assert.rejects(machines.assignMachine({ ...assign, tenant: "" }), fails(status.INVALID_ARGUMENT, /^tenant:/));
  await assert.rejects(
    machines.assignMachine({ ...assign, script: "x".repeat(70_000) }),
    fails(status.INVALID_ARGUMENT, /^script: longer/),
  );
});

test("a device that is expected later joins its machine, with its events", async () => {
  await using house = await openHouse();
  const dhcp = await house.api("dhcpd");
  await dhcp.report([{ id: "x1", at: Date.now(), kind: "dhcp.ack", mac: STRANGER, address: addressOf(STRANGER) }]);
  const { machines } = await house.operator();
  const { machine } = await machines.getMachine({ machine: "m-02aa00000001" });
  assert.equal(machine?.name, "m-02aa00000001");
  const stop = new AbortController();
  const changes = machines.watchMachines({}, { signal: stop.signal })[Symbol.asyncIterator]();
  await changes.next();
  await changes.next();
  house.site.source.push(expected({ mac: STRANGER, machine: "r2-m07", role: "host", label: "r2-m07" }));
  const { value } = await changes.next();
  assert.equal(value.machine.name, "r2-m07");
  await changes.return?.();
  assert.deepEqual(
    (await machines.getTimeline({ machine: "r2-m07" })).events.map(({ id }) => id),
    ["x1"],
  );
  await assert.rejects(machines.getMachine({ machine: "m-02aa00000001" }), fails(status.NOT_FOUND, /no machine/));
});
