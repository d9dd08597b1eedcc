import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";

/** The trailer that carries a `google.rpc.Status`: gRPC's own convention for typed details. */
export const STATUS_TRAILER = "grpc-status-details-bin";
/** `google.rpc.ErrorInfo.domain` of every reason of the API. */
export const REASON_DOMAIN = "firstlight";

/** Why the API refused a call. */
export interface ErrorReason {
  /** A code of the API's reason table. */
  readonly reason: string;
  /** The facts of the case, by the names that the reason's sentence has for them. */
  readonly facts: Readonly<Record<string, string>>;
}

/** The reason of a failed call; `undefined` where the API sent none, as when it could not be reached. */
export function reasonOfError(error: unknown): ErrorReason | undefined {
  const { metadata } = (error ?? {}) as { metadata?: unknown };
  const bytes = metadata instanceof Metadata ? metadata.get(STATUS_TRAILER)[0] : undefined;
  if (!(bytes instanceof Uint8Array)) return undefined;
  for (const detail of statusIn(bytes)?.details ?? []) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info?.domain === REASON_DOMAIN) return { reason: info.reason, facts: info.metadata };
  }
  return undefined;
}

/** A trailer that is no Status, as of another peer, is as good as none. */
function statusIn(bytes: Uint8Array) {
  try {
    return fromBinary(StatusSchema, bytes);
  } catch {
    return undefined;
  }
}
