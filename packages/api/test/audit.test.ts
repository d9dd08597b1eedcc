import assert from "node:assert/strict";
import { test } from "node:test";
import { DPU, HOST, addressOf, openHouse } from "./house.ts";

test("assign and release of a machine are in the audit, with the operator's name", async () => {
  await using house = await openHouse({ eventsPerMachine: 1 }); // the timeline keeps none of it
  const pxe = await house.api("pxe-http");
  const { machines, history } = await house.operator("anna");
  for (const mac of [HOST, DPU]) {
    const { token } = await pxe.decide({ mac, address: addressOf(mac) });
    await pxe.phoneHome({ mac, address: addressOf(mac), token, detail: {} });
  }
  await machines.assignMachine({ machine: "r1-m01", tenant: "blue", script: "chain http://blue/", userData: "secret" });
  await machines.releaseMachine({ machine: "r1-m01" });
  await assert.rejects(() => machines.releaseMachine({ machine: "r1-m01" }), /cannot be released/);

  const { entries } = await history.audit({ kind: "machine", key: "r1-m01" });
  assert.deepEqual(
    entries.map(({ actor, did }) => [actor, did]),
    [
      ["operator/anna", "changed"],
      ["operator/anna", "changed"],
    ],
  );
  const changes = entries.map(({ changed }) =>
    Object.fromEntries(changed.map(({ field, before, after }) => [field, [before, after]])),
  );
  const [released, assigned] = changes;
  assert.deepEqual(
    [assigned?.["state"], released?.["state"]],
    [
      ["ready", "assigned"],
      ["assigned", "cleaning"],
    ],
  );
  assert.deepEqual(
    [assigned?.["tenant"], released?.["tenant"]],
    [
      [undefined, "blue"],
      ["blue", undefined],
    ],
  );
  assert.match(assigned?.["user_data"]?.[1] ?? "", /^sha256:[0-9a-f]{64}$/);
  assert.ok(!JSON.stringify(changes).includes("secret"));
});
