import { type Subject, subjectOf } from "@firstlight/api-client";
import type { ServerUnaryCall } from "@grpc/grpc-js";

/** Finds the connection of a call, which grpc-js keeps in a private field. */
type Called = Pick<ServerUnaryCall<unknown, unknown>, "getAuthContext"> & {
  readonly call?: { readonly stream?: { readonly session?: object | undefined } };
};

/** By connection: Node builds an object of the whole certificate at each read, an eighth of the CPU of a boot decision. */
const known = new WeakMap<object, Subject>();

/**
 * The subject of the certificate of this call's connection. The certificate of a connection never changes: HTTP/2 forbids
 * renegotiation and post-handshake authentication (RFC 9113 §9.2.1, §9.2.3). If the connection cannot be found, the certificate is read at
 * each call.
 */
export function callerOf(called: Called): Subject | undefined {
  const connection = called.call?.stream?.session;
  const before = connection && known.get(connection);
  if (before) return before;
  const subject = subjectOf(called.getAuthContext().sslPeerCertificate?.subjectaltname);
  if (connection && subject) known.set(connection, subject);
  return subject;
}
