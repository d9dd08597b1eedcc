import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import type { Api, Reporter } from "@firstlight/api-client";
import {
  type Context,
  inheritedListener,
  joinEndpoint,
  RateLimit,
  type Readiness,
  type Running,
  splitEndpoint,
} from "@firstlight/service";
import { parseAddress, assertParsed } from "@firstlight/wire";
import type { FastifyListenOptions } from "fastify";
import type { PxeHttpConfig } from "./config.ts";
import { RawAnswers } from "./raw-answer.ts";
import { Connections } from "./connections.ts";
import { Decisions } from "./decisions.ts";
import { Gate } from "./gate.ts";
import { RawConnections } from "./raw-connection.ts";
import { Identity } from "./identify.ts";
import { EventRecorder } from "./event-recorder.ts";
import { createMetrics } from "./metrics.ts";
import { createServer, LIMITS } from "./server.ts";
import { ArtefactCache } from "./artefact-cache.ts";
import type { PxeHttpReplica } from "./holding.ts";

/** The replica and the API client for pxe-http, opened by the caller. */
export interface Backing {
  readonly replica: PxeHttpReplica;
  readonly api: Pick<Api, "decide" | "phoneHome">;
  readonly reporter: Pick<Reporter, "report">;
  ready(): Readiness;
}

export interface StartContext extends Pick<Context<PxeHttpConfig>, "config" | "metrics" | "clock" | "shared"> {
  readonly site: { readonly site: { readonly stateDir: string } };
  readonly log: Pick<Context<PxeHttpConfig>["log"], "error">;
}

const now = (): number => performance.now();

const MOST_MACHINES = 65_536;
/** Events of one machine: a boot has about a dozen. */
const OF_MACHINE = { perSecond: 2, burst: 100 };
/** Events of all addresses without a lease. */
const OF_STRANGERS = { perSecond: 10, burst: 100 };

/** Joins the parts, opens the socket and serves. `stop` closes what is opened here, never the backing. */
export async function startPxeHttp(context: StartContext, backing: Backing): Promise<Running> {
  const { config, log, clock, shared } = context;
  const { replica, api, reporter } = backing;
  const { waitSeconds, kernelArguments, perClient } = config;
  const connections = new Connections();
  const metrics = createMetrics(context.metrics, () => connections.open);
  let endpoint = config.listen;
  const events = new EventRecorder({
    reporter,
    metrics,
    ofMachine: new RateLimit(OF_MACHINE, MOST_MACHINES),
    ofStrangers: new RateLimit(OF_STRANGERS, 1),
    now: () => clock.now(),
  });
  const root = config.artefacts ?? join(context.site.site.stateDir, "artefacts");
  const cache = new ArtefactCache(root, config.cacheBytes, now);
  const { vrf, identityWaitMs: waitMs } = config;
  const gate = new Gate({ replica, vrf, identity: new Identity(replica, { vrf, waitMs }), shared, perClient });
  const app = createServer({
    api,
    cache,
    events,
    clock,
    metrics,
    waitSeconds,
    gate,
    script: { waitSeconds, kernelArguments },
    root,
    decisions: new Decisions(config.lastDecisionSeconds),
    baseUrl: () => config.baseUrl ?? `http://${endpoint}`,
    onFault: (error) => log.error({ error }, "a request met a fault"),
  });
  const [acceptHttp] = app.server.listeners("connection") as [(socket: Socket) => void];
  const { keepAliveTimeout, connectionTimeout, maxRequestsPerSocket, http } = LIMITS;
  const rawConnections = new RawConnections({
    cache,
    gate,
    events,
    metrics,
    now,
    answers: new RawAnswers(clock, { keepAliveSeconds: keepAliveTimeout / 1000, mostRequests: maxRequestsPerSocket }),
    limits: {
      firstMs: http.headersTimeout,
      idleMs: keepAliveTimeout,
      stalledMs: connectionTimeout,
      mostRequests: maxRequestsPerSocket,
    },
    slow: (socket) => acceptHttp.call(app.server, socket),
  });
  app.server.off("connection", acceptHttp).on("connection", rawConnections.accept);
  app.server.maxConnections = config.maxConnections;
  connections.watch(app.server, config.maxConnectionsPerClient, () => metrics.refusal("connections-per-client-limit"));
  const { host, port } = splitEndpoint(config.listen);
  const descriptor = inheritedListener({ address: assertParsed(parseAddress(host), host), port });
  const at: FastifyListenOptions & { fd?: number } =
    descriptor === undefined ? { host, port } : { host, fd: descriptor };
  await app.listen(at);
  const local = app.server.address() as AddressInfo;
  endpoint = joinEndpoint(local.address, local.port);
  return {
    endpoints: { http: endpoint },
    ready: () => backing.ready(),
    drain() {
      app.server.off("connection", rawConnections.accept).on("connection", acceptHttp);
      rawConnections.drain();
      return app.close(); // no new connection, and the answers under way are finished
    },
    async stop() {
      rawConnections.close();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}
