import { createHash } from "node:crypto";
import type { Api } from "@firstlight/api-client";
import type { FastifyReply, FastifyRequest } from "fastify";
import { answered, isRefused } from "./api-answer.ts";
import { type DocumentName, DOCUMENTS } from "./cloud-init.ts";
import { refuse, type RefuseParts, visitOf } from "./request-context.ts";

export interface SeedParts extends RefuseParts {
  readonly api: Pick<Api, "decide">;
}

/** `/cloud-init/DOCUMENT`: the requester's own seed. The API away is a 503, upon which cloud-init asks again. */
export function seedRoute(parts: SeedParts, document: DocumentName) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const visit = visitOf(request);
    const { requester, trace } = visit;
    const { address, mac } = requester;
    const decision = await answered(parts.api.decide({ address, mac, ...(trace !== undefined && { trace }) }));
    if (isRefused(decision)) return refuse(parts, request, reply, decision);
    if (request.method === "GET") {
      const detail = { document, machine: decision.machineName, version: String(decision.version) };
      parts.journal.tell("pxe.cloud-init", visit, { detail });
    }
    const text = DOCUMENTS[document]({ decision, requester, task: taskOf(decision.token) });
    return reply.type("text/yaml; charset=utf-8").header("cache-control", "no-store").send(text);
  };
}

/** A token stands for one task of a machine; its digest says which, without giving it away. */
function taskOf(token: string): string {
  return token === "" ? "" : createHash("sha256").update(token).digest("hex").slice(0, 12);
}
