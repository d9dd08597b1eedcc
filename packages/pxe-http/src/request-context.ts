import type { FastifyReply, FastifyRequest } from "fastify";
import { type Refused, statusOf, whyOf } from "./reasons.ts";
import type { EventRecorder, Party } from "./event-recorder.ts";
import type { RouteName } from "./metrics.ts";
import type { Requester } from "./requester.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set before any handler runs. */
    caller: RequestContext | null;
  }
  interface FastifyContextConfig {
    route?: RouteName;
  }
}

/** One request. Its trace comes from the URL: it links events, it does not identify anybody. */
export interface RequestContext extends Party {
  readonly requester?: Requester;
  /** Where this boot's URLs begin, without a final slash. */
  readonly base: string;
}

/** The context of a known machine. Requests without one pass the gate for boot loaders only. */
export function contextOf(request: FastifyRequest): RequestContext & { readonly requester: Requester } {
  const { caller } = request;
  if (!caller?.requester) throw new TypeError("a handler ran before the requester was known");
  return { ...caller, requester: caller.requester };
}

/** The trace of a route below `/t/TRACE`. */
export function traceOf(request: FastifyRequest): string | undefined {
  return (request.params as { readonly trace?: string } | undefined)?.trace;
}

/** What a refusal needs. */
export interface RefuseParts {
  readonly events: EventRecorder;
  readonly waitSeconds: number;
}

/** Refuses a request that has passed the gate. `code`: a status that the request itself has determined (413, 415, 416). */
export function refuse(
  { events, waitSeconds }: RefuseParts,
  request: FastifyRequest,
  reply: FastifyReply,
  no: Refused,
  code?: number,
): FastifyReply {
  events.refused(request.caller ?? {}, no, request.url);
  return sendRefusal(reply, no, waitSeconds, code);
}

/** The refusal as an answer: its status, its reason, and when to ask again if that may help. */
export function sendRefusal(
  reply: FastifyReply,
  no: Refused,
  waitSeconds: number,
  code: number = statusOf(no),
): FastifyReply {
  if (code === 503 || code === 429) void reply.header("retry-after", String(code === 429 ? 1 : waitSeconds));
  const { because, sentence } = whyOf(no);
  return reply.code(code).send({ because, detail: sentence });
}
