import type { Reporter } from "@firstlight/api-client";
import { listen, type Port } from "@firstlight/datagram";
import {
  type Context,
  describeReason,
  joinEndpoint,
  RateLimit,
  type Readiness,
  type Running,
  splitEndpoint,
} from "@firstlight/service";
import { formatAddress, parseAddress, assertParsed } from "@firstlight/wire";
import type { TftpdConfig } from "./config.ts";
import { Files } from "./files.ts";
import type { TftpdReplica } from "./holding.ts";
import { EventRecorder } from "./event-recorder.ts";
import { TransferWorker } from "./transfer-worker.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { REASONS } from "./reasons.ts";
import { EventAttribution } from "./event-attribution.ts";
import { Server } from "./server.ts";
import { TransferTable } from "./transfer-table.ts";

/** The replica and the API client for tftpd, opened by the caller. A transfer waits for neither. */
export interface Backing {
  readonly replica: Pick<TftpdReplica, "lease" | "follow">;
  readonly reporter: Pick<Reporter, "report">;
  ready(): Readiness;
}

export interface StartContext extends Pick<Context<TftpdConfig>, "config" | "metrics" | "clock"> {
  readonly log: Pick<Context<TftpdConfig>["log"], "info">;
  /** The folder that is served, absolute. It may appear later. */
  readonly root: string;
}

const MOST_CLIENTS = 65_536;
/** Events a second and kind about clients without a lease. */
const OF_STRANGERS = { perSecond: 10, burst: 100 };

/** Retransmission must not follow a wall clock that is set. */
const now = (): number => performance.now();

/** Joins the parts, opens the port and serves. `stop` closes what is opened here, never the backing. */
export async function startTftpd(context: StartContext, backing: Backing): Promise<Running> {
  const { config, log, clock, root } = context;
  const cache = { fileBytes: config.cacheFileBytes, totalBytes: config.cacheBytes };
  const files = new Files(root, cache, () => clock.now());
  const transfers = new TransferTable(config.maxTransfers, config.maxTransfersPerClient);
  const metrics = createMetrics(context.metrics, {
    transfers: () => transfers.size,
    cachedBytes: () => files.cachedBytes,
  });
  const { host, port: listening } = splitEndpoint(config.listen);
  const address = assertParsed(parseAddress(host), host);
  const port = await listen({
    address,
    port: listening,
    engine: config.engine,
    onFallback: (because) => log.info({ because, at: config.listen }, "portable UDP engine"),
  });
  const worker = config.singlePort ? undefined : await openWorker(port, metrics, log);
  const attribution = new EventAttribution({
    replica: backing.replica,
    reporter: backing.reporter,
    waitMs: config.identityWaitMs,
    ofStrangers: new RateLimit(OF_STRANGERS, 8),
    now,
  });
  const server = new Server({
    port,
    worker,
    files,
    transfers,
    metrics,
    now,
    events: new EventRecorder({ attribution, metrics, now: () => clock.now() }),
    perClient: new RateLimit(config.perClient, MOST_CLIENTS),
    limits: { blockBytes: config.blksize, windowBlocks: config.windowsize },
    patience: config,
    singlePort: config.singlePort,
    mostNetasciiBytes: config.cacheFileBytes,
  });
  const serving = server.serve();
  return {
    endpoints: { udp: joinEndpoint(formatAddress(port.local.address), port.local.port) },
    ready: () => withoutIpam(backing.ready()),
    drain: () => server.drain(),
    async stop() {
      await server.stop();
      await worker?.[Symbol.asyncDispose]();
      attribution.stop();
      await port.close();
      await serving;
    },
  };
}

/** Beside the engine that takes many datagrams at a time; elsewhere each transfer has a port of its own. */
async function openWorker(port: Port, metrics: Metrics, log: StartContext["log"]): Promise<TransferWorker | undefined> {
  if (port.engine === "dgram") return undefined;
  try {
    return await TransferWorker.open(port.local.address, (because, count) => metrics.ignored(because, count));
  } catch (fault) {
    log.info({ because: (fault as Error).message }, "no thread for the transfers: each has its own port");
    return undefined;
  }
}

/** Files are served without the IPAM, too; it only gives the MAC for a client's events. */
function withoutIpam(ipam: Readiness): Readiness {
  return ipam.ready
    ? ipam
    : {
        ...ipam,
        ready: true,
        ...describeReason(REASONS, "clients-not-named", { fault: ipam.detail ?? "the IPAM is away" }),
      };
}
