import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { joinEndpoint, splitEndpoint } from "./endpoint.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import { describeReason } from "../reason.ts";
import { REASONS } from "../reasons.ts";

export interface HealthOptions {
  /** Where to listen: `127.0.0.1:7167`; with port 0 the kernel chooses. */
  readonly at: string;
  readonly daemon: string;
  readonly metrics: Registry;
  /** Called for each `/ready`; answers from memory. */
  readiness(): Readiness;
}

export interface Health extends AsyncDisposable {
  /** The bound address and port. */
  readonly endpoint: string;
}

/**
 * Serves an orchestrator and Prometheus over HTTP: `/health` (the process answers), `/ready` (200 or 503, with the `Readiness`
 * as JSON), `/metrics`. Rejects with the system's error where the address cannot be bound.
 */
export async function serveHealth(options: HealthOptions): Promise<Health> {
  const server = createServer(
    { requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 5000, maxHeaderSize: 8192 },
    (request, response) => {
      answer(options, request, response).catch(() => response.destroy());
    },
  );
  server.maxConnections = 64;
  const { host, port } = splitEndpoint(options.at);
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  server.unref();
  return { endpoint: endpointOf(server), [Symbol.asyncDispose]: () => closeServer(server) };
}

async function answer(options: HealthOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "").split("?", 1)[0];
  if (request.method !== "GET" && request.method !== "HEAD")
    return sendJson(response, 405, describeReason(REASONS, "get-or-head-only"));
  switch (path) {
    case "/health":
      return sendJson(response, 200, { alive: true, daemon: options.daemon });
    case "/ready": {
      const readiness = options.readiness();
      return sendJson(response, readiness.ready ? 200 : 503, { daemon: options.daemon, ...readiness });
    }
    case "/metrics":
      return send(response, 200, options.metrics.contentType, await options.metrics.metrics());
    default:
      return sendJson(response, 404, describeReason(REASONS, "path-unknown"));
  }
}

const sendJson = (response: ServerResponse, status: number, body: object): void =>
  send(response, status, "application/json", `${JSON.stringify(body)}\n`);

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}

function endpointOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return joinEndpoint(address, port);
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
