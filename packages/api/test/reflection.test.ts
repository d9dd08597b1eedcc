import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { SERVICES } from "../src/api.ts";
import { createReflection } from "../src/grpc/reflection.ts";
import { openHouse } from "./house.ts";

const BUF = join(import.meta.dirname, "../node_modules/.bin/buf");
const run = promisify(execFile);

test("buf curl with no proto file lists every service and calls one, over mTLS", async () => {
  await using house = await openHouse();
  await house.trust.issue("operator/root");
  const file = (name: string): string => join(house.trust.dir, name);
  const tls = ["--cacert", file("ca.crt"), "--cert", file("root.crt"), "--key", file("root.key")];
  const base = `https://localhost:${house.address().split(":")[1]}`;
  const curl = async (...args: string[]): Promise<string> =>
    (await run(BUF, ["curl", "--protocol", "grpc", ...tls, ...args], { timeout: 30_000 })).stdout;

  for (const version of ["grpc-v1", "grpc-v1alpha"]) {
    const listed = await curl("--reflect-protocol", version, "--list-services", base);
    assert.deepEqual(listed.trim().split("\n").toSorted(), SERVICES.map(({ typeName }) => typeName).toSorted());
  }
  const methods = await curl("--list-methods", base);
  assert.ok(methods.split("\n").includes("firstlight.v1.MachineService/ListMachines"));
  const answer = JSON.parse(await curl("-d", "{}", `${base}/firstlight.v1.MachineService/ListMachines`));
  assert.equal(answer.machines[0].name, "r1-m01");
  assert.equal(answer.machines[0].state, "MACHINE_STATE_DISCOVERED");
  await assert.rejects(
    run(BUF, ["curl", "--protocol", "grpc", "--cacert", file("ca.crt"), "--list-services", base], { timeout: 30_000 }),
  );
});

const reflection = createReflection(SERVICES);
type Request = Parameters<typeof reflection.answer>[0]["messageRequest"];
const answer = (asked: Request) => reflection.answer({ messageRequest: asked });

test("a file comes with all it imports, google's too", () => {
  const { case: is, value } = answer({ case: "fileByFilename", value: "firstlight/v1/machine.proto" });
  assert.ok(is === "fileDescriptorResponse");
  const text = Buffer.concat(value.fileDescriptorProto).toString("latin1");
  for (const name of ["firstlight/v1/machine.proto", "firstlight/v1/boot.proto", "google/protobuf/timestamp.proto"]) {
    assert.ok(text.includes(name), name);
  }
});

test("a symbol is found by its full name: a service, a method, a message, a field, an enum", () => {
  for (const value of [
    "firstlight.v1.BootService",
    "firstlight.v1.BootService.Decide",
    "firstlight.v1.Event",
    "firstlight.v1.Event.id",
    "firstlight.v1.Action",
    "grpc.health.v1.HealthCheckResponse.ServingStatus",
    "google.protobuf.Timestamp",
  ]) {
    assert.equal(answer({ case: "fileContainingSymbol", value }).case, "fileDescriptorResponse", value);
  }
});

test("what is not there is NOT_FOUND, and nothing asked is INVALID_ARGUMENT", () => {
  const codes = [
    answer({ case: "fileContainingSymbol", value: "no.such.Thing" }),
    answer({ case: "fileByFilename", value: "../../etc/passwd" }),
    answer({ case: "allExtensionNumbersOfType", value: "no.such.Thing" }),
    answer({ case: undefined }),
  ].map(({ value }) => (value as { errorCode: number }).errorCode);
  assert.deepEqual(codes, [5, 5, 5, 3]);
});
