import type { PeerCertificate } from "node:tls";
import type { Credentials } from "@firstlight/service";
import { Client, credentials } from "@grpc/grpc-js";
import { formatSubject, subjectOf } from "./identity.ts";

export interface ChannelOptions {
  /** `127.0.0.1:7070` */
  readonly address: string;
  readonly site: string;
  readonly credentials: Credentials;
}

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** A channel to the API service over mTLS. It connects when first used and again whenever it must; making one never fails. */
export function openChannel({ address, site, credentials: own }: ChannelOptions): Client {
  const tls = credentials.createSsl(own.ca, own.key, own.cert, {
    checkServerIdentity: (_host, certificate) => notTheApi(site, certificate),
  });
  return new Client(address, tls, {
    "grpc.ssl_target_name_override": "localhost", // an address is no server name (RFC 6066 §3); the SPIFFE id is what counts
    "grpc.default_authority": address,
    "grpc.enable_http_proxy": 0,
    "grpc.enable_retries": 0, // each method's own retries are in client.ts
    "grpc.use_local_subchannel_pool": 1,
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 5_000,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2_000,
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  });
}

/** Refuses a certificate that is not the API's, so that no other daemon of the site can impersonate it. */
function notTheApi(site: string, certificate: PeerCertificate): Error | undefined {
  const subject = subjectOf(certificate.subjectaltname);
  if (subject?.site === site && formatSubject(subject) === "daemon/api") return undefined;
  return new Error(
    `the server's certificate is not of spiffe://${site}/daemon/api but of ${certificate.subjectaltname ?? "no subject"}`,
  );
}
