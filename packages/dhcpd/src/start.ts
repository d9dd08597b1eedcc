import { randomBytes } from "node:crypto";
import type { Api, Reporter } from "@firstlight/api-client";
import { listen, type Port } from "@firstlight/datagram";
import type { Store } from "@firstlight/ipam/store";
import {
  type Context,
  joinEndpoint,
  RateLimit,
  type Readiness,
  type Running,
  splitEndpoint,
} from "@firstlight/service";
import { formatAddress, type IPv4, parseIPv4, parsePrefix, assertParsed } from "@firstlight/wire";
import { Answer } from "./v4/answer.ts";
import { RetransmissionCache } from "./v4/retransmission-cache.ts";
import { bootUrlOf } from "./v4/boot-url.ts";
import { Committer } from "./lease/committer.ts";
import type { DhcpdConfig } from "./config.ts";
import type { Listener } from "./v4/packet-context.ts";
import { OfferHolds } from "./lease/offer-holds.ts";
import { EventRecorder } from "./lease/event-recorder.ts";
import { Lookups } from "./lease/lookup.ts";
import { createMetrics } from "./metrics.ts";
import { ACTOR, reportLeases } from "./lease/outbox.ts";
import { Server } from "./v4/server.ts";
import { Traces } from "./lease/traces.ts";
import type { Reason } from "./reasons.ts";
import type { DhcpdReplica } from "./holding.ts";

/** The IPAM and the API as dhcpd needs them, opened by whoever starts it. */
export interface Backing {
  readonly store: Pick<Store, "commit" | "lookup" | "changes">;
  readonly replica: DhcpdReplica;
  readonly api: Api;
  readonly reporter: Reporter;
  ready(): Readiness;
}

export interface StartContext extends Pick<Context<DhcpdConfig>, "config" | "metrics" | "clock"> {
  readonly log: Pick<Context<DhcpdConfig>["log"], "debug" | "info" | "warn">;
  /** Absent: the defaults of the others. */
  readonly sections?: Context<DhcpdConfig>["sections"];
}

const GATHER_MS = 15;
const MOST_CLIENTS = 65_536;
const MOST_RELAYS = 4096;
/** The kernel keeps what a core can answer before a client repeats itself (some ten thousand packets), and no more. */
const BUFFER_BYTES = 16 << 20;

/** Joins the parts, opens the sockets and serves. `stop` closes what is opened here, never the backing. */
export async function startDhcpd(context: StartContext, backing: Backing): Promise<Running> {
  const { config, log, clock } = context;
  const { replica, store, api, reporter } = backing;
  const committer: Committer = new Committer({
    store,
    actor: ACTOR,
    maxBatch: config.maxBatch,
    maxPending: config.maxPending,
    deadlineMs: config.commitDeadlineMs,
    gatherMs: GATHER_MS,
    now: () => clock.now(),
    onBatch: (size, startedAt) => metrics.batch(size, startedAt),
    onFault: (error) => log.warn({ error }, "leases not committed"),
  });
  let acknowledged = replica.at.position;
  const metrics = createMetrics(context.metrics, {
    pending: () => committer.pending,
    behind: () => Math.max(0, replica.at.position - acknowledged),
  });
  const nextServer = ipv4(config.nextServer);
  const bootUrl = bootUrlOf(config.bootUrl, context.sections?.["pxeHttp"]);
  const routine = config.routineEvents;
  const events = new EventRecorder({ reporter, clock, routine, onLeftOut: (kind) => metrics.leftOut(kind) });
  const server = new Server({
    clock,
    replica,
    committer,
    metrics,
    lookups: new Lookups(store, { most: config.maxLookups, deadlineMs: config.lookupDeadlineMs }),
    asked: new RetransmissionCache(MOST_CLIENTS),
    patienceMs: config.patienceSeconds * 1000,
    holds: new OfferHolds(config.offerHoldSeconds * 1000, MOST_CLIENTS),
    traces: new Traces(traceIds(), MOST_CLIENTS),
    answer: new Answer({ replica, metrics, events, source: { ...config, nextServer, bootUrl } }),
    serverIds: new Set([config.serverId, ...config.serverIds].flatMap((id) => (id === undefined ? [] : ipv4(id)))),
    relays: config.relays?.map((text) => assertParsed(parsePrefix(text), text)),
    perClient: new RateLimit(config.perClient, MOST_CLIENTS),
    perRelayUnknown: new RateLimit(config.perRelayUnknown, MOST_RELAYS),
    awayMarginMs: config.awayMarginSeconds * 1000,
  });

  const listeners = await openListeners(context);
  const serving = Promise.all(listeners.map((listener) => server.serve(listener)));
  const stopping = new AbortController();
  const reporting = reportLeases(
    {
      api,
      store,
      replica,
      onFault: (error) => log.warn({ error }, "lease events wait for the API"),
      onBack: () => log.info({}, "lease events reach the API again"),
      onPosition: ({ position }) => (acknowledged = position),
    },
    stopping.signal,
  );
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map(({ port }) => port.close()));
    await serving;
  };
  return {
    endpoints: Object.fromEntries(
      listeners.map((listener, i) => [i === 0 ? "udp" : `udp${i}`, endpointOf(listener.port)]),
    ),
    ready: () => backing.ready(),
    async drain() {
      await server.drain(); // what is under way is answered before its port closes
      await close();
    },
    async stop() {
      stopping.abort();
      await close();
      await reporting;
    },
  };
}

async function openListeners({ config, log }: StartContext): Promise<Listener[]> {
  const listeners: Listener[] = [];
  try {
    for (const { address: at, device, segmentAddress } of config.listen) {
      const { host, port: servedPort } = splitEndpoint(at);
      const address = ipv4(host);
      const port = await listen({
        address,
        port: servedPort,
        engine: config.engine,
        broadcast: true,
        bufferBytes: BUFFER_BYTES,
        ...(device !== undefined && { device }),
        onFallback: (fault) =>
          log.info({ because: "portable-engine" satisfies Reason, fault, at }, "portable UDP engine"),
      });
      const serverId = config.serverId === undefined ? address : ipv4(config.serverId);
      listeners.push({
        port,
        servedPort,
        serverId,
        segmentAddress: segmentAddress === undefined ? address : ipv4(segmentAddress),
      });
    }
    return listeners;
  } catch (fault) {
    await Promise.all(listeners.map(({ port }) => port.close()));
    throw fault;
  }
}

/** Trace ids out of a pool of randomness: asking for sixteen bytes costs as much as asking for a thousand. */
function traceIds(): () => string {
  let [pool, at] = ["", 0];
  return () => {
    if (at === pool.length) [pool, at] = [randomBytes(4096).toString("hex"), 0];
    return pool.slice(at, (at += 32));
  };
}

function endpointOf({ local }: Port): string {
  return joinEndpoint(formatAddress(local.address), local.port);
}

const ipv4 = (text: string): IPv4 => assertParsed(parseIPv4(text), text);
