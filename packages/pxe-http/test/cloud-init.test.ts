import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import { parse } from "yaml";
import { DOCUMENTS, type Seed } from "../src/cloud-init.ts";

const SEED: Seed = {
  decision: { machineId: "m-1", machineName: "node-1" },
  requester: { mac: "02:f1:00:00:00:01" },
  task: "abc",
};

test("a seed is valid NoCloud: instance, name, network by MAC, and nothing to do unless the tenant says so", () => {
  assert.equal(DOCUMENTS["meta-data"](SEED), 'instance-id: "m-1-abc"\nlocal-hostname: "node-1"\n');
  assert.equal(DOCUMENTS["user-data"](SEED), "#cloud-config\n{}\n");
  assert.equal(DOCUMENTS["vendor-data"](), "#cloud-config\n{}\n");
  assert.deepEqual(parse(DOCUMENTS["network-config"](SEED)), {
    version: 2,
    ethernets: { boot: { match: { macaddress: "02:f1:00:00:00:01" }, dhcp4: true } },
  });
});

test("a tenant's user-data is given as it is", () => {
  const userData = "#!/bin/sh\necho ünï\n";
  assert.equal(DOCUMENTS["user-data"]({ ...SEED, decision: { ...SEED.decision, userData } }), userData);
});

test("the interface's own label is the host's name", () => {
  const named = { ...SEED, requester: { ...SEED.requester, label: "node-1-dpu" } };
  assert.equal(parse(DOCUMENTS["meta-data"](named))["local-hostname"], "node-1-dpu");
});

test("whatever a machine is called, meta-data is YAML with exactly its two fields", () => {
  const any = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.constant("a: b\nc: [\u0085\u2028\ufeff"));
  fc.assert(
    fc.property(any, any, (machineId, machineName) => {
      const meta = parse(DOCUMENTS["meta-data"]({ ...SEED, decision: { machineId, machineName } }));
      assert.deepEqual(Object.keys(meta), ["instance-id", "local-hostname"]);
      assert.equal(meta["instance-id"], `${machineId.toWellFormed()}-abc`);
      assert.match(meta["local-hostname"], /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    }),
  );
});
