import assert from "node:assert/strict";
import test from "node:test";
import { connectOperator, reasonOfError } from "@firstlight/api-client";
import { EDIT_REASONS } from "@firstlight/ipam";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { errorTrailer } from "../src/grpc/error-info.ts";
import { callRefused, statusOf } from "../src/grpc/error.ts";
import { REASONS } from "../src/reasons.ts";
import { openHouse } from "./house.ts";

const reasonOf = (ask: Promise<unknown>) =>
  ask.then(
    () => assert.fail("it is not refused"),
    (error: ServiceError) => [error.code, reasonOfError(error)],
  );

test("a refusal reaches the client with its code and its facts", async () => {
  await using house = await openHouse();
  const { machines, health } = await house.operator();
  assert.deepEqual(await reasonOf(machines.getMachine({ machine: "none" })), [
    status.NOT_FOUND,
    { reason: "machine-not-found", facts: { machine: "none" } },
  ]);
  assert.deepEqual(await reasonOf(machines.listMachines({ pageSize: 100_000 })), [
    status.INVALID_ARGUMENT,
    { reason: "field-too-large", facts: { field: "page_size", most: "1000" } },
  ]);
  assert.deepEqual(await reasonOf(health.check({ service: "none" })), [
    status.NOT_FOUND,
    { reason: "service-not-found", facts: { service: "none" } },
  ]);
});

test("a code that two tables have answers with one status", () => {
  for (const [reason, { answers }] of Object.entries(EDIT_REASONS))
    if (reason in REASONS) assert.equal(REASONS[reason as keyof typeof REASONS].answers, answers, reason);
});

test("a stream that is refused carries its reason, too", async () => {
  await using house = await openHouse();
  const caller = await house.trust.issue("daemon/dnsd");
  using daemon = connectOperator({ address: house.address(), site: "lab", ...caller });
  const watched = (async () => {
    for await (const _ of daemon.machines.watchMachines({})) assert.fail("nothing is to be seen");
  })();
  const [code, error] = await reasonOf(watched);
  assert.equal(code, status.PERMISSION_DENIED);
  assert.equal((error as { reason: string }).reason, "method-not-allowed");
});

test("every reason answers with the status of its row", () => {
  for (const [reason, { answers }] of Object.entries(REASONS)) {
    const expected = answers in status ? status[answers as keyof typeof status] : status.INTERNAL;
    assert.equal(statusOf(callRefused(reason as keyof typeof REASONS)).code, expected, reason);
  }
});

test("an error that is not expected is a fault of the API and shows nothing of itself", () => {
  const { code, details, metadata } = statusOf(new Error("secret"));
  assert.deepEqual([code, details], [status.INTERNAL, "a fault of the API: see its log"]);
  assert.deepEqual(reasonOfError({ metadata }), { reason: "api-fault", facts: {} });
});

test("long facts are cut, so that the trailer fits", () => {
  const trailers = errorTrailer({
    code: 3,
    message: "x".repeat(9_000),
    reason: "field-malformed",
    facts: { fault: "x".repeat(9_000) },
  });
  assert.ok((trailers.get("grpc-status-details-bin")[0] as Buffer).length < 2_000);
  assert.equal(reasonOfError({ metadata: trailers })?.facts["fault"]?.length, 256);
});

test("an error without the trailer, or with another's, has no reason", () => {
  assert.equal(reasonOfError(new Error("away")), undefined);
  const foreign = new Metadata();
  foreign.set("grpc-status-details-bin", Buffer.from([0xff, 0xff]));
  assert.equal(reasonOfError({ metadata: foreign }), undefined);
});
