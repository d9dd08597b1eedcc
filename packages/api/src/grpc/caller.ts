import { type Subject, subjectOf } from "@firstlight/api-client";
import type { ServerUnaryCall } from "@grpc/grpc-js";

/** What names the caller, and where grpc-js keeps the connection that it does not tell of. */
type Called = Pick<ServerUnaryCall<unknown, unknown>, "getAuthContext"> & {
  readonly call?: { readonly stream?: { readonly session?: object | undefined } };
};

/** By connection: Node makes the whole certificate an object whenever it is asked for, an eighth of a boot decision's CPU. */
const known = new WeakMap<object, Subject>();

/**
 * Whom the certificate of this call's connection names. A connection has one certificate for good: over HTTP/2 nobody
 * renegotiates, nor asks for another one later (RFC 9113 §9.2.1, §9.2.3). Where the connection is not to be found it is
 * asked for each time.
 */
export function callerOf(called: Called): Subject | undefined {
  const connection = called.call?.stream?.session;
  const before = connection && known.get(connection);
  if (before) return before;
  const subject = subjectOf(called.getAuthContext().sslPeerCertificate?.subjectaltname);
  if (connection && subject) known.set(connection, subject);
  return subject;
}
