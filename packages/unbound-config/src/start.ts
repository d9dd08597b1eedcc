import { join } from "node:path";
import type { Context, Readiness, Running } from "@firstlight/service";
import { place } from "./apply.ts";
import { FlushQueue } from "./flush-queue.ts";
import type { UnboundConfig } from "./config.ts";
import { controlAt } from "./control.ts";
import { createMetrics } from "./metrics.ts";
import { isServed } from "./probe.ts";
import { render } from "./render.ts";
import { type Parts, Server } from "./server.ts";
import type { UnboundConfigReplica } from "./holding.ts";

/** The replica for unbound-config, opened by the caller. */
export interface Backing {
  readonly replica: UnboundConfigReplica;
  ready(): Readiness;
}

export interface StartContext extends Pick<Context<UnboundConfig>, "config" | "metrics" | "clock"> {
  readonly site: { readonly site: { readonly stateDir: string } };
  readonly log: Parts["log"];
}

/** Longest path of a Unix socket, unix(7): 108 bytes with the final zero. */
const MOST_PATH_BYTES = 107;

/**
 * Joins the parts. Where the replica has been loaded, the file is in place when this resolves, so that unbound can be
 * started next. unbound is another's to start and stop; while it is away nothing is lost.
 */
export async function startUnboundConfig(context: StartContext, backing: Backing): Promise<Running> {
  const { config, site, log, clock } = context;
  const { replica } = backing;
  const file = config.file ?? join(site.site.stateDir, "unbound.conf");
  const controlSocket = config.controlSocket ?? join(site.site.stateDir, "unbound.ctl");
  if (Buffer.byteLength(controlSocket) > MOST_PATH_BYTES)
    throw new RangeError(`unboundConfig.controlSocket: ${controlSocket} is longer than ${MOST_PATH_BYTES} bytes`);
  const settings = { ...config, controlSocket };
  render({ forward: [], reverse: [], networks: [], left: [] }, settings); // a path that unbound.conf cannot carry fails here
  const flushQueue = new FlushQueue({ settleMs: config.settleMs, most: config.maxFlushes });
  const server = new Server({
    clock,
    log,
    replica,
    flushQueue,
    metrics: createMetrics(context.metrics, () => flushQueue.pending),
    control: controlAt(controlSocket),
    statusMs: config.statusMs,
    render: (view) => render(view, settings),
    place: (text) => place(file, text, config.checkconf),
    isServed: (zone) => isServed(zone, config.dnsd),
  });
  const following = replica.follow((event) => server.heard(event));
  if (backing.ready().ready) server.reshaped(); // else the file of last time stands until there is something to say
  await server.round();
  const running = server.run();
  const stop = async (): Promise<void> => {
    following[Symbol.dispose]();
    server.stop();
    await running;
  };
  return {
    endpoints: { file, control: controlSocket },
    ready: () => server.ready(backing.ready()),
    drain: stop,
    stop,
  };
}
