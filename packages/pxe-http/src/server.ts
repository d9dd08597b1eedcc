import fastifyStatic from "@fastify/static";
import { formatAddress } from "@firstlight/wire";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { contentTypeOf, isBootLoader } from "./artefact.ts";
import { type Refused, refused, whyOf } from "./reasons.ts";
import { type BootParts, bootRoute, sendScript } from "./boot.ts";
import { type DocumentName, DOCUMENTS } from "./cloud-init.ts";
import { artefactRoute, artefactSent, type ArtefactParts, pathOf } from "./artefact-route.ts";
import type { Gate } from "./gate.ts";
import type { Party } from "./event-recorder.ts";
import { type PhoneHomeParts, phoneHomeRoute } from "./phone-home.ts";
import { sourceOf } from "./requester.ts";
import { renderWait } from "./script.ts";
import { type CloudInitParts, cloudInitRoute } from "./cloud-init-route.ts";
import { refuse, sendRefusal, traceOf } from "./request-context.ts";

export interface ServerParts extends BootParts, CloudInitParts, ArtefactParts, PhoneHomeParts {
  readonly gate: Pick<Gate, "admit">;
  /** The URL under which machines reach this server; read at each request, because port 0 is known only after listening. */
  readonly baseUrl: () => string;
  readonly onFault: (error: unknown) => void;
  readonly api: BootParts["api"] & PhoneHomeParts["api"];
}

/** What Fastify and its static plugin throw; a 416 brings the header that says how long the file is. */
type RequestError = FastifyError & { readonly headers?: Record<string, string> };

const PHONE_HOME_BYTES = 16 * 1024;

/** The limits of a connection. A stalled connection is closed; the machine can fetch the rest by range. */
export const LIMITS = {
  trustProxy: false, // identity is the connection's source; no header names another
  bodyLimit: PHONE_HOME_BYTES,
  requestTimeout: 15_000,
  connectionTimeout: 60_000,
  keepAliveTimeout: 15_000,
  maxRequestsPerSocket: 10_000,
  http: { maxHeaderSize: 8192, headersTimeout: 10_000 },
  routerOptions: { maxParamLength: 512 },
} as const;

/** The routes, each also below `/t/TRACE`, behind one gate that identifies the client before anything else is read. */
export function createServer(parts: ServerParts): FastifyInstance {
  const app = Fastify({
    ...LIMITS,
    logger: false,
    frameworkErrors: (_error, _request, reply) => {
      parts.metrics.refusal("request-malformed");
      void sendRefusal(reply, refused("request-malformed"), parts.waitSeconds);
    },
    clientErrorHandler(_error, socket) {
      parts.metrics.refusal("not-http");
      if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      else socket.destroy();
    },
  });
  app.decorateRequest("caller", null);
  app.addHook("onRequest", admission(parts));
  app.addHook("onResponse", async (request, reply) => {
    parts.metrics.request(routeOf(request), reply.statusCode, reply.elapsedTime);
  });
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
  app.setNotFoundHandler((request, reply) => refuse(parts, request, reply, refused("no-such-resource")));
  app.setErrorHandler((error: RequestError, request, reply) => fault(parts, error, request, reply));
  app.register(fastifyStatic, {
    root: parts.root,
    serve: false,
    dotfiles: "deny",
    index: false,
    setHeaders: (reply, path) => void reply.header("content-type", contentTypeOf(path)),
  });
  app.register(routes(parts));
  app.register(routes(parts), { prefix: "/t/:trace(^[0-9a-f]{32}$)" });
  return app;
}

function routes(parts: ServerParts) {
  return async (app: FastifyInstance): Promise<void> => {
    app.get("/boot.ipxe", { config: { route: "script" } }, bootRoute(parts));
    for (const document of Object.keys(DOCUMENTS) as DocumentName[]) {
      app.get(`/cloud-init/${document}`, { config: { route: "cloud-init" } }, cloudInitRoute(parts, document));
    }
    app.get("/artefacts/*", { config: { route: "artefact" }, onSend: artefactSent(parts) }, artefactRoute(parts));
    app.post("/phone-home", { config: { route: "phone-home" } }, phoneHomeRoute(parts));
  };
}

type Stranger = Omit<Party, "requester">;

/** Runs the gate before any handler. Boot loaders need no lease. */
function admission(parts: ServerParts) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | void> => {
    const source = sourceOf(request.raw.socket.remoteAddress);
    const trace = traceOf(request);
    const stranger: Stranger = {
      ...(source !== undefined && { source: formatAddress(source) }),
      ...(trace !== undefined && { trace }),
    };
    const requester = await parts.gate.admit(source, stranger.source);
    if (requester.is === "requester") request.caller = { ...stranger, requester, base: baseOf(parts, request) };
    else if (requester.because !== "requests-per-client-limit" && isOpen(request))
      request.caller = { ...stranger, base: baseOf(parts, request) };
    else return refuseAtGate(parts, request, reply, requester, stranger);
  };
}

const isOpen = (request: FastifyRequest): boolean => routeOf(request) === "artefact" && isBootLoader(pathOf(request));

/** Refuses at the gate. A request for the boot script gets a script that waits, any other one an error. */
function refuseAtGate(
  parts: ServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
  no: Refused,
  stranger: Stranger,
): FastifyReply {
  if (no.because === "requests-per-client-limit") parts.metrics.refusal(no.because);
  else parts.events.refused(stranger, no, request.url);
  if (routeOf(request) !== "script") return sendRefusal(reply, no, parts.waitSeconds);
  return sendWait(parts, request, reply, no, no.because === "requests-per-client-limit" ? "wait" : "stranger");
}

/** Sends a waiting script without a decision, and counts it like the others. */
function sendWait(
  parts: ServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
  no: Refused,
  action: "wait" | "stranger",
): FastifyReply {
  if (request.method === "GET") parts.metrics.script(action);
  return sendScript(reply, renderWait(whyOf(no), { ...parts.script, base: baseOf(parts, request) }));
}

function fault(parts: ServerParts, error: RequestError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const code = error.statusCode ?? 500;
  if (code < 500) {
    const no = refused("request-malformed", error.message);
    if (error.headers) void reply.headers(error.headers);
    return refuse(parts, request, reply, no, code);
  }
  parts.onFault(error);
  parts.metrics.refusal("server-fault");
  const no = refused("server-fault");
  if (routeOf(request) !== "script") return sendRefusal(reply, no, parts.waitSeconds);
  return sendWait(parts, request, reply, no, "wait");
}

const routeOf = (request: FastifyRequest) => request.routeOptions.config.route ?? "none";

function baseOf({ baseUrl }: ServerParts, request: FastifyRequest): string {
  const trace = traceOf(request);
  return trace === undefined ? baseUrl() : `${baseUrl()}/t/${trace}`;
}
