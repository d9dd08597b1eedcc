import { createHash } from "node:crypto";
import type { Api } from "@firstlight/api-client";
import type { FastifyReply, FastifyRequest } from "fastify";
import { apiAnswer, isRefused } from "./api-answer.ts";
import { type DocumentName, DOCUMENTS } from "./cloud-init.ts";
import { refuse, type RefuseParts, contextOf } from "./request-context.ts";

export interface CloudInitParts extends RefuseParts {
  readonly api: Pick<Api, "decide">;
}

/** `/cloud-init/DOCUMENT`: the requester's own seed. The API away is a 503, upon which cloud-init asks again. */
export function cloudInitRoute(parts: CloudInitParts, document: DocumentName) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const caller = contextOf(request);
    const { requester, trace } = caller;
    const { address, mac } = requester;
    const decision = await apiAnswer(parts.api.decide({ address, mac, ...(trace !== undefined && { trace }) }));
    if (isRefused(decision)) return refuse(parts, request, reply, decision);
    if (request.method === "GET") {
      const detail = { document, machine: decision.machineName, version: String(decision.version) };
      parts.events.record("pxe.cloud-init", caller, { detail });
    }
    const text = DOCUMENTS[document]({ decision, requester, task: taskOf(decision.token) });
    return reply.type("text/yaml; charset=utf-8").header("cache-control", "no-store").send(text);
  };
}

/** A digest of the token identifies the task of a machine without disclosing the token. */
function taskOf(token: string): string {
  return token === "" ? "" : createHash("sha256").update(token).digest("hex").slice(0, 12);
}
