import assert from "node:assert/strict";
import test from "node:test";
import { EVENT_KINDS, type Subject } from "@firstlight/api-client";
import { SERVICES } from "../src/api.ts";
import { mayCall, mayTell, RULES } from "../src/grpc/authorise.ts";

const daemon = (name: string): Subject => ({ site: "lab", is: "daemon", name });
const calls = (name: string): string[] =>
  Object.keys(RULES)
    .filter((method) => method.startsWith("firstlight.") && mayCall(daemon(name), method))
    .map((method) => method.split("/")[1]!);

const tellers = (kind: string): string[] =>
  ["dhcpd", "tftpd", "pxe-http", "dnsd", "unbound-config"].filter((name) => mayTell(daemon(name), kind));

const root: Subject = { site: "lab", is: "operator", name: "root" };

test("every method of every service has a rule, and no rule is of a method that is not there", () => {
  const methods = SERVICES.flatMap(({ typeName, methods }) => methods.map(({ name }) => `${typeName}/${name}`));
  assert.deepEqual(Object.keys(RULES).toSorted(), methods.toSorted());
});

test("an operator may call everything", () => {
  for (const method of Object.keys(RULES)) assert.ok(mayCall(root, method), method);
});

test("a daemon may call what its work needs, nothing else", () => {
  assert.deepEqual(calls("dhcpd"), ["Report", "GetFeedPosition"]);
  assert.deepEqual(calls("tftpd"), ["Decide", "Report"]);
  assert.deepEqual(calls("pxe-http"), ["Decide", "PhoneHome", "Report"]);
  assert.deepEqual(calls("dnsd"), []);
  assert.deepEqual(calls("unbound-config"), []);
  assert.deepEqual(calls("api"), []);
  assert.deepEqual(calls("operator"), []); // a daemon of that name is no operator
});

test("each kind of event has one teller, and the API's own have none", () => {
  const table = Object.fromEntries(Object.keys(EVENT_KINDS).map((kind) => [kind, tellers(kind)[0]]));
  assert.equal(table["pxe.phone-home"], undefined);
  assert.equal(table["machine.state"], undefined);
  assert.deepEqual(
    Object.keys(table).filter((kind) => table[kind] === undefined),
    ["pxe.phone-home", "machine.state"],
  );
  assert.ok(!mayTell(root, "machine.state") && !mayTell(root, "pxe.phone-home"));
});
