import type { Api } from "@firstlight/api-client";
import type { FastifyReply, FastifyRequest } from "fastify";
import { apiAnswer, isRefused } from "./api-answer.ts";
import { readCall } from "./phone-home-call.ts";
import { refuse, type RefuseParts, contextOf } from "./request-context.ts";

export interface PhoneHomeParts extends RefuseParts {
  readonly api: Pick<Api, "phoneHome">;
}

/** POST `/phone-home`: the system is up. 200 only once the API has stored it; the API puts it on the timeline. */
export function phoneHomeRoute(parts: PhoneHomeParts) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { requester, trace } = contextOf(request);
    const { address, mac } = requester;
    const call = readCall(request.body);
    if (call.is === "refused") return refuse(parts, request, reply, call);
    const { token, detail } = call;
    const stored = await apiAnswer(
      parts.api.phoneHome({ address, mac, token, detail, ...(trace !== undefined && { trace }) }),
    );
    if (isRefused(stored)) return refuse(parts, request, reply, stored);
    return reply.send({ state: stored.state });
  };
}
