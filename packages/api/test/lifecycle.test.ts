import assert from "node:assert/strict";
import test from "node:test";
import { array, assert as check, boolean, constant, constantFrom, integer, oneof, property, record } from "fast-check";
import { decide, type LifecycleEvent, type Machine, step } from "../src/machine/lifecycle.ts";

const HOST = "02:f1:00:00:00:01";
const BMC = "02:f1:00:00:00:02";
const DPU = "02:f1:00:00:00:03";
const DPU_PART = `dpu_oob/${DPU}`;

const fresh: Machine = {
  id: "m1",
  name: "r1-m01",
  state: "discovered",
  version: 1,
  task: 1,
  taskVersion: 1,
  arrived: [],
  interfaces: [
    { mac: HOST, role: "host" },
    { mac: BMC, role: "host_bmc" },
    { mac: DPU, role: "dpu_oob" },
  ],
};

const home = (part: string, isProven = true): LifecycleEvent => ({ is: "phoneHome", part, isProven });
const give: LifecycleEvent = { is: "assign", tenant: "blue", script: "chain http://blue/" };
const play = (machine: Machine, ...events: LifecycleEvent[]): Machine =>
  events.reduce((now, event) => step(now, event)[0], machine);
const ready = play(fresh, home("host"), home(DPU_PART));

test("a new machine boots, and is ready once its host and its DPU have phoned home", () => {
  let machine = play(fresh, { is: "script", action: "discover", version: 1 });
  assert.equal(machine.state, "booting");
  machine = play(machine, home(DPU_PART));
  assert.equal(machine.state, "booting");
  assert.deepEqual(step(machine, home("host"))[1], [
    { do: "record", from: "booting", to: "ready", because: "parts-arrived" },
  ]);
});

test("a phone-home that overtakes the script's event is enough", () => {
  assert.equal(play(fresh, home("host")).state, "booting");
  assert.equal(ready.state, "ready");
});

test("the late script event of a machine that is ready moves nothing", () => {
  const [machine, effects] = step(ready, { is: "script", action: "discover", version: 1 });
  assert.equal(machine, ready);
  assert.deepEqual(effects, [{ do: "ignore", because: "past-discovery", facts: { state: "ready" } }]);
});

test("the script of an earlier task does not start a later one", () => {
  const again: Machine = { ...ready, state: "discovered" };
  assert.equal(play(again, { is: "script", action: "discover", version: 1 }).state, "discovered");
  assert.equal(play(again, { is: "script", action: "discover", version: again.version }).state, "booting");
});

test("only a ready machine can be given, only a given one released", () => {
  assert.deepEqual(step(fresh, give)[1], [
    { do: "refuse", because: "cannot-be-assigned", facts: { machine: "r1-m01", state: "discovered" } },
  ]);
  assert.deepEqual(step(ready, { is: "release" })[1], [
    { do: "refuse", because: "cannot-be-released", facts: { machine: "r1-m01", state: "ready" } },
  ]);
  const assigned = play(ready, give);
  assert.deepEqual(step(assigned, give)[1], [
    { do: "refuse", because: "cannot-be-assigned", facts: { machine: "r1-m01", state: "assigned" } },
  ]);
});

test("a released machine is ready only after its cleanup phoned home with that task's token", () => {
  const cleaning = play(ready, give, { is: "release" });
  assert.equal(cleaning.state, "cleaning");
  assert.equal(cleaning.script, undefined);
  assert.equal(cleaning.tenant, undefined);
  assert.equal(play(cleaning, home("host", false)), cleaning); // the tenant's system, still running
  assert.equal(play(cleaning, home(DPU_PART)), cleaning);
  assert.equal(play(cleaning, home("host")).state, "ready");
});

test("each state has each part boot what it should", () => {
  const assigned = play(ready, give);
  const cleaning = play(assigned, { is: "release" });
  const table = [fresh, play(fresh, home("host")), ready, assigned, cleaning].map((machine) => [
    machine.state,
    ...[HOST, DPU, BMC, "02:00:00:00:00:99"].map((mac) => decide(machine, mac).action),
  ]);
  assert.deepEqual(table, [
    ["discovered", "discover", "discover", "wait", "wait"],
    ["booting", "discover", "discover", "wait", "wait"],
    ["ready", "local-disk", "local-disk", "wait", "wait"],
    ["assigned", "tenant", "local-disk", "wait", "wait"],
    ["cleaning", "cleanup", "local-disk", "wait", "wait"],
  ]);
});

test("a machine without a host cleans its DPU instead", () => {
  const alone: Machine = { ...fresh, interfaces: [{ mac: DPU, role: "dpu_oob" }] };
  const cleaning = play(alone, home(DPU_PART), give, { is: "release" });
  assert.equal(decide(cleaning, DPU).action, "cleanup");
  assert.equal(play(cleaning, home(DPU_PART)).state, "ready");
});

const anyEvent = oneof(
  record({
    is: constant("script" as const),
    action: constantFrom("discover", "tenant", "cleanup"),
    version: integer({ min: 0, max: 20 }),
  }),
  record({ is: constant("phoneHome" as const), part: constantFrom("host", DPU_PART, undefined), isProven: boolean() }),
  constantFrom<LifecycleEvent>(give, { is: "release" }),
);

/** Where a machine may go from each state, and by which event. */
const ROADS: Readonly<Record<string, string>> = {
  "discovered booting": "script phoneHome",
  "discovered ready": "phoneHome",
  "booting ready": "phoneHome",
  "ready assigned": "assign",
  "assigned cleaning": "release",
  "cleaning ready": "phoneHome",
};

test("whatever happens, a machine only goes forward on the roads there are, and is ready only by proof", () => {
  check(
    property(array(anyEvent, { maxLength: 60 }), (events) => {
      let machine = fresh;
      for (const event of events) {
        const [next, effects] = step(machine, event);
        if (next.state !== machine.state)
          assert.match(ROADS[`${machine.state} ${next.state}`] ?? "none", new RegExp(event.is));
        if (next.state === "ready" && machine.state !== "ready") assert.ok(event.is === "phoneHome" && event.isProven);
        assert.ok(next === machine ? next.version === machine.version : next.version === machine.version + 1);
        assert.ok(next.task >= machine.task && next.taskVersion <= next.version);
        if (decide(next, HOST).action !== decide(machine, HOST).action) assert.equal(next.task, machine.task + 1);
        assert.ok(effects.length > 0, "every event leaves its reason");
        machine = next;
      }
    }),
  );
});

test("the same event twice does no more than once", () => {
  check(
    property(array(anyEvent, { maxLength: 30 }), anyEvent, (events, event) => {
      const machine = play(fresh, ...events);
      const once = step(machine, event)[0];
      const token =
        event.is === "phoneHome" ? { ...event, isProven: event.isProven && once.task === machine.task } : event;
      assert.equal(step(once, token)[0], once);
    }),
  );
});
