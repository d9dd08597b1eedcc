import type { Api, Decision } from "@firstlight/api-client";
import { type Clock, fillSentence } from "@firstlight/service";
import type { FastifyReply, FastifyRequest } from "fastify";
import { apiAnswer, isRefused } from "./api-answer.ts";
import { REASONS, whyOf } from "./reasons.ts";
import type { Decisions } from "./decisions.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Metrics } from "./metrics.ts";
import { render, type Rendered, renderWait, type ScriptContext } from "./script.ts";
import { contextOf } from "./request-context.ts";

export interface BootParts {
  readonly api: Pick<Api, "decide">;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly decisions: Decisions;
  readonly metrics: Metrics;
  readonly script: Pick<ScriptContext, "waitSeconds" | "kernelArguments">;
}

/**
 * `/boot.ipxe`: what this machine must do now. Every fetch asks the API: a script has the token of its decision, so none is kept or
 * shared. The answer is a script even after a fault, because firmware that gets an error silently leaves the network boot.
 */
export function bootRoute(parts: BootParts) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const caller = contextOf(request);
    const [script, decision] = await scriptFor(parts, caller);
    if (request.method === "GET") {
      const kind = script.is === "wait" ? "pxe.wait" : "pxe.script";
      parts.events.record(kind, caller, { because: script.because, detail: detailOf(script, decision) });
      parts.metrics.script(script.is);
    }
    return sendScript(reply, script);
  };
}

export function sendScript(reply: FastifyReply, { text }: Rendered): FastifyReply {
  return reply.code(200).type("text/plain; charset=utf-8").header("cache-control", "no-store").send(text);
}

async function scriptFor(parts: BootParts, caller: ReturnType<typeof contextOf>): Promise<[Rendered, Decision?]> {
  const { api, clock, decisions, script } = parts;
  const { requester, trace, base } = caller;
  const { address, mac } = requester;
  const context = { ...script, base, mac };
  const answer = await apiAnswer(api.decide({ address, mac, ...(trace !== undefined && { trace }) }));
  if (!isRefused(answer)) {
    decisions.learn(requester, answer, clock.now());
    return [render(answer, context), answer];
  }
  if (answer.because !== "api-away") decisions.forget(requester);
  const kept = decisions.standing(requester, clock.now());
  if (!kept) return [renderWait(whyOf(answer), context)];
  const because = fillSentence(REASONS["decided-before"].sentence, { decision: kept.because });
  const decision = { ...kept, reason: "decided-before", because };
  return [render(decision, context), decision];
}

function detailOf({ is }: Rendered, decision: Decision | undefined): Record<string, string> {
  if (!decision) return { action: is };
  return { action: is, version: String(decision.version), machine: decision.machineName };
}
