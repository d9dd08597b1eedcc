import assert from "node:assert/strict";
import test from "node:test";
import { callerOf } from "../src/grpc/caller.ts";

/** A call on this connection, whose certificate says `name` when it is asked. */
function call(session: object | undefined, name: string | undefined, asked: string[] = []) {
  return {
    call: { stream: { session } },
    getAuthContext() {
      asked.push(name ?? "nobody");
      return name === undefined ? {} : { sslPeerCertificate: { subjectaltname: `URI:spiffe://lab/${name}` } };
    },
  } as unknown as Parameters<typeof callerOf>[0];
}

test("a connection is asked for its certificate once, another one has its own", () => {
  const [first, second] = [{}, {}];
  const asked: string[] = [];
  assert.equal(callerOf(call(first, "daemon/dhcpd", asked))?.name, "dhcpd");
  assert.equal(callerOf(call(first, "daemon/dhcpd", asked))?.name, "dhcpd");
  assert.equal(callerOf(call(second, "operator/root", asked))?.name, "root");
  assert.equal(callerOf(call(first, "daemon/dhcpd", asked))?.name, "dhcpd");
  assert.deepEqual(asked, ["daemon/dhcpd", "operator/root"]);
});

test("nobody is not remembered, and without a connection everybody is asked", () => {
  const connection = {};
  assert.equal(callerOf(call(connection, undefined)), undefined);
  assert.equal(callerOf(call(connection, "daemon/tftpd"))?.name, "tftpd");
  const asked: string[] = [];
  for (let n = 0; n < 2; n++) assert.equal(callerOf(call(undefined, "daemon/tftpd", asked))?.name, "tftpd");
  assert.equal(asked.length, 2);
});
