/** Floor 2. What the daemons ask of the API service, in plain values; the contract itself is in `proto/`. */
export * from "./api.ts";
export { openChannel } from "./channel.ts";
export { createApi, isRefusal } from "./client.ts";
export { connectApi, type ClientContext, type Connected } from "./connect.ts";
export { clean, EVENT_LIMITS, withinLimits } from "./event.ts";
export { type ErrorReason, REASON_DOMAIN, reasonOfError, STATUS_TRAILER } from "./error-info.ts";
export * from "./identity.ts";
export * from "./operator.ts";
export * from "./codec.ts";
export * from "./service.ts";
export { traceEvent } from "./span.ts";
export * from "./text-chunks.ts";
export * from "./methods.ts";
