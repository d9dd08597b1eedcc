import type { BootEvent, Reporter } from "@firstlight/api-client";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Refused, REFUSALS, sentence } from "./because.ts";
import type { Metrics, RouteName } from "./metrics.ts";
import type { Requester } from "./requester.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set before any handler runs: there is no request without an identity. */
    visit: Visit | null;
  }
  interface FastifyContextConfig {
    route?: RouteName;
  }
}

/** One request of a known machine. */
export interface Visit {
  readonly requester: Requester;
  /** W3C trace id of the boot, from the URL: joins events, proves nothing. */
  readonly trace?: string;
  /** Where this boot's URLs begin, without a final slash. */
  readonly base: string;
}

export function visitOf(request: FastifyRequest): Visit {
  if (!request.visit) throw new TypeError("a handler ran before the requester was known");
  return request.visit;
}

/** The trace of a route below `/t/TRACE`. */
export function traceOf(request: FastifyRequest): string | undefined {
  return (request.params as { readonly trace?: string } | undefined)?.trace;
}

export type Telling = Pick<BootEvent, "because" | "detail">;

/** Puts what happened on the machine's timeline. */
export function tell(reporter: Reporter, { requester, trace }: Visit, kind: BootEvent["kind"], what: Telling): void {
  const { mac, address } = requester;
  reporter.tell({ kind, mac, address, ...(trace !== undefined && { trace }), ...what });
}

export interface RefuseParts {
  readonly metrics: Metrics;
  readonly reporter: Reporter;
  readonly waitSeconds: number;
}

/** Who was refused, as far as it is known. */
export interface Stranger {
  readonly address?: string;
  readonly mac?: string;
  readonly trace?: string;
}

/** Floods are counted, not told: what is refused for its rate may be refused a thousand times a second. */
const NOT_TOLD: ReadonlySet<string> = new Set(["too many requests", "too many connections", "not HTTP"]);

export function tellRefusal({ metrics, reporter }: RefuseParts, stranger: Stranger, no: Refused, path: string): void {
  metrics.refusal(no.because);
  if (NOT_TOLD.has(no.because)) return;
  reporter.tell({ kind: "pxe.refused", ...stranger, because: sentence(no), detail: { path: path.slice(0, 255) } });
}

/** The no as an answer: its status, its reason, and when to ask again where that may help. */
export function sendRefusal(
  reply: FastifyReply,
  no: Refused,
  waitSeconds: number,
  code: number = REFUSALS[no.because],
): FastifyReply {
  if (code === 503 || code === 429) void reply.header("retry-after", String(code === 429 ? 1 : waitSeconds));
  return reply.code(code).send({ because: sentence(no) });
}

/** Refuses a known machine. `code`: where the request itself has settled it (413, 415, 416). */
export function refuse(
  parts: RefuseParts,
  request: FastifyRequest,
  reply: FastifyReply,
  no: Refused,
  code?: number,
): FastifyReply {
  const { requester, trace } = visitOf(request);
  const stranger = { mac: requester.mac, address: requester.address, ...(trace !== undefined && { trace }) };
  tellRefusal(parts, stranger, no, request.url);
  return sendRefusal(reply, no, parts.waitSeconds, code);
}
