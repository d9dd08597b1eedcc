import type { RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import type { Api, Reporter } from "@firstlight/api-client";
import type { Replica } from "@firstlight/ipam";
import {
  type Context,
  inheritedListener,
  joinEndpoint,
  RateLimit,
  type Readiness,
  type Running,
  splitEndpoint,
} from "@firstlight/service";
import { parseAddress, sound } from "@firstlight/wire";
import type { FastifyListenOptions } from "fastify";
import type { PxeHttpConfig } from "./config.ts";
import { Answers } from "./answer.ts";
import { Connections } from "./connections.ts";
import { Decisions } from "./decisions.ts";
import { Front } from "./front.ts";
import { Identity } from "./identify.ts";
import { Journal } from "./journal.ts";
import { createMetrics } from "./metrics.ts";
import { createServer, LIMITS } from "./server.ts";
import { Shelf } from "./shelf.ts";
import { swift } from "./swift.ts";

/** The IPAM and the API as pxe-http needs them, opened by whoever starts it. */
export interface Backing {
  readonly replica: Replica;
  readonly api: Pick<Api, "decide" | "phoneHome">;
  readonly reporter: Pick<Reporter, "tell">;
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
  const journal = new Journal({
    reporter,
    metrics,
    ofMachine: new RateLimit(OF_MACHINE, MOST_MACHINES),
    ofStrangers: new RateLimit(OF_STRANGERS, 1),
    now: () => clock.now(),
  });
  const root = config.artefacts ?? join(context.site.site.stateDir, "artefacts");
  const shelf = new Shelf(root, config.cacheBytes, now);
  const app = createServer({
    api,
    shelf,
    journal,
    clock,
    shared,
    metrics,
    waitSeconds,
    perClient,
    script: { waitSeconds, kernelArguments },
    root,
    decisions: new Decisions(config.lastDecisionSeconds),
    identity: new Identity(replica, { vrf: config.vrf, waitMs: config.identityWaitMs }),
    baseUrl: () => config.baseUrl ?? `http://${endpoint}`,
    onFault: (error) => log.error({ error }, "a request met a fault"),
  });
  const gate = { shelf, replica, vrf: config.vrf, shared, perClient, journal, metrics, now };
  const [slow] = app.server.listeners("request") as [RequestListener];
  const short = swift({ ...gate, slow });
  app.server.off("request", slow).on("request", short);
  const [whole] = app.server.listeners("connection") as [(socket: Socket) => void];
  const { keepAliveTimeout, connectionTimeout, maxRequestsPerSocket, http } = LIMITS;
  const front = new Front({
    ...gate,
    answers: new Answers(clock, { keepAliveSeconds: keepAliveTimeout / 1000, mostRequests: maxRequestsPerSocket }),
    limits: {
      firstMs: http.headersTimeout,
      idleMs: keepAliveTimeout,
      stalledMs: connectionTimeout,
      mostRequests: maxRequestsPerSocket,
    },
    slow: (socket) => whole.call(app.server, socket),
  });
  app.server.off("connection", whole).on("connection", front.accept);
  app.server.maxConnections = config.maxConnections;
  connections.watch(app.server, config.maxConnectionsPerClient, () => metrics.refusal("too many connections"));
  const { host, port } = splitEndpoint(config.listen);
  const descriptor = inheritedListener({ address: sound(parseAddress(host), host), port });
  const at: FastifyListenOptions & { fd?: number } =
    descriptor === undefined ? { host, port } : { host, fd: descriptor };
  await app.listen(at);
  const local = app.server.address() as AddressInfo;
  endpoint = joinEndpoint(local.address, local.port);
  return {
    endpoints: { http: endpoint },
    ready: () => backing.ready(),
    drain() {
      app.server.off("request", short).on("request", slow); // which tells kept connections to close
      app.server.off("connection", front.accept).on("connection", whole);
      front.drain();
      return app.close(); // no new connection, and the answers under way are finished
    },
    async stop() {
      front.close();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}
