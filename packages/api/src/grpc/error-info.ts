import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { REASON_DOMAIN, STATUS_TRAILER } from "@firstlight/api-client";
import { ErrorInfoSchema } from "@firstlight/api-client/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "@firstlight/api-client/gen/google/rpc/status_pb.js";
import { Metadata } from "@grpc/grpc-js";

export interface ErrorDetail {
  readonly code: number;
  readonly message: string;
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** Trailers are HTTP/2 headers and have little room; grpc-message carries the whole sentence. */
const MOST_CHARACTERS = 256;

/** The trailer that carries a `google.rpc.Status` with one `google.rpc.ErrorInfo`. */
export function errorTrailer({ code, message, reason, facts }: ErrorDetail): Metadata {
  const short = Object.entries(facts).map(([name, value]) => [name, cut(value)] as const);
  const info = create(ErrorInfoSchema, { reason, domain: REASON_DOMAIN, metadata: Object.fromEntries(short) });
  const details = [anyPack(ErrorInfoSchema, info)];
  const status = toBinary(StatusSchema, create(StatusSchema, { code, message: cut(message), details }));
  const trailers = new Metadata();
  trailers.set(STATUS_TRAILER, Buffer.from(status));
  return trailers;
}

/** Cuts a text, but never within a surrogate pair. */
function cut(text: string): string {
  return text.slice(0, MOST_CHARACTERS).toWellFormed();
}
