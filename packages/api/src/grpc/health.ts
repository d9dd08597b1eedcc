import type { DescService } from "@bufbuild/protobuf";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readiness } from "@firstlight/service";
import {
  type Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@firstlight/api-client/gen/grpc/health/v1/health_pb.js";
import { callRefused } from "./error.ts";
import type { Handlers } from "./server.ts";

const LOOK_EVERY_MS = 500;

/** grpc.health.v1: the server (the empty name) and all of its services have the same status. */
export function healthHandlers(services: readonly DescService[], ready: () => Readiness): Handlers<typeof Health> {
  const names = new Set(["", ...services.map(({ typeName }) => typeName)]);
  const now = (name: string): Status => {
    if (!names.has(name)) return Status.SERVICE_UNKNOWN;
    return ready().ready ? Status.SERVING : Status.NOT_SERVING;
  };
  return {
    check({ service }) {
      if (!names.has(service)) throw callRefused("service-not-found", { service });
      return { status: now(service) };
    },
    async *watch({ service }, { signal }) {
      let last: Status | undefined;
      while (!signal.aborted) {
        const status = now(service);
        if (status !== last) yield { status };
        last = status;
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
      }
    },
  };
}
