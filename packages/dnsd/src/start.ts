import { randomBytes } from "node:crypto";
import { listen, type Port } from "@firstlight/datagram";
import {
  type Context,
  describeReason,
  inheritedListener,
  joinEndpoint,
  type Readiness,
  type Running,
  splitEndpoint,
} from "@firstlight/service";
import { type Address, formatAddress, parseAddress, assertParsed } from "@firstlight/wire";
import { Authority } from "./authority.ts";
import { createBuilder } from "./builder.ts";
import type { DnsdConfig } from "./config.ts";
import { createMetrics } from "./metrics.ts";
import { type Reason, REASONS } from "./reasons.ts";
import { Responder } from "./responder.ts";
import { listenStream, type Stream } from "./stream.ts";
import type { DnsdReplica } from "./holding.ts";

/** The replica for dnsd. The caller opens and closes it. */
export interface Backing {
  readonly replica: DnsdReplica;
  ready(): Readiness;
}

export interface StartContext extends Pick<Context<DnsdConfig>, "config" | "metrics"> {
  readonly log: Pick<Context<DnsdConfig>["log"], "info" | "warn">;
}

/** One address: both transports on one port. */
interface Listener {
  readonly port: Port;
  readonly stream: Stream;
}

/** Builds the zones, follows the replica, opens the sockets and serves. `stop` closes what is opened here, never the backing. */
export async function startDnsd({ config, log, metrics: registry }: StartContext, backing: Backing): Promise<Running> {
  const { replica } = backing;
  const authority = new Authority(replica, { seed: randomBytes(4).readInt32LE(), nsAddresses: addressesOf(config) });
  const listeners: Listener[] = [];
  const metrics = createMetrics(registry, {
    serial: () => authority.zones.serial,
    names: () => authority.zones.names.count,
    building: () => authority.building,
    rejected: () => authority.rejected.size,
    connections: () => listeners.reduce((sum, { stream }) => sum + stream.connections, 0),
  });
  const responder = new Responder(authority, () => replica.stalenessMs(), metrics, {
    payloadBytes: config.payloadBytes,
    stalenessMs: config.stalenessSeconds * 1000,
  });
  logBuilt(authority, log, "started");
  await using parts = new AsyncDisposableStack();
  const builder = parts.use(createBuilder(authority, (because, turns) => logBuilt(authority, log, because, turns)));
  parts.use(
    replica.follow((event) => {
      if (authority.take(event)) builder.begin();
    }),
  );
  for (const at of config.listen) {
    const listener = await open(at, config, responder, (because) => metrics.silence(because), log);
    parts.use(listener.port);
    parts.use(listener.stream);
    listeners.push(listener);
  }
  const serving = Promise.all(
    listeners.map(({ port }) =>
      port.serve((query, length, out) => responder.respond(query, length, out, "udp"), config.payloadBytes),
    ),
  );
  const owned = parts.move();
  return {
    endpoints: Object.assign({}, ...listeners.map(endpointsOf)) as Record<string, string>,
    ready: () => readiness(backing.ready(), responder.isStale, config.stalenessSeconds),
    async drain() {
      await Promise.all(listeners.flatMap(({ port, stream }) => [port.close(), stream.drain()]));
    },
    async stop() {
      await owned.disposeAsync();
      await serving;
    },
  };
}

/** If the kernel chooses the UDP port, the same TCP port may be in use: then another port is tried. */
const CHOICES = 10;

async function open(
  at: string,
  { engine, tcp }: DnsdConfig,
  responder: Responder,
  onEnd: (because: Reason) => void,
  log: StartContext["log"],
): Promise<Listener> {
  const { host, port: wanted } = splitEndpoint(at);
  for (let choice = 1; ; choice++) {
    const port = await listen({
      address: address(host),
      port: wanted,
      engine,
      onFallback: (fault) =>
        log.info({ because: "portable-engine" satisfies Reason, fault, at }, "portable UDP engine"),
    });
    try {
      const stream = await listenStream({
        host,
        port: port.local.port,
        descriptor: inheritedListener(port.local),
        connections: tcp.connections,
        perAddress: tcp.perAddress,
        idleMs: tcp.idleSeconds * 1000,
        respond: (query, out) => responder.respond(query, query.length, out, "tcp"),
        onEnd,
      });
      return { port, stream };
    } catch (fault) {
      await port.close();
      if (wanted !== 0 || choice === CHOICES || (fault as NodeJS.ErrnoException).code !== "EADDRINUSE") throw fault;
    }
  }
}

function readiness(replica: Readiness, isStale: boolean, stalenessSeconds: number): Readiness {
  if (!replica.ready || !isStale) return replica;
  return {
    ...replica,
    ready: false,
    ...describeReason(REASONS, "replica-stale", { seconds: String(stalenessSeconds) }),
  };
}

function logBuilt({ zones, rejected }: Authority, log: StartContext["log"], cause: string, turns = 1): void {
  // A code of the table, or the IPAM's text about the change.
  const because: Reason = Object.hasOwn(REASONS, cause) ? (cause as Reason) : "zones-changed";
  log.info(
    {
      zones: zones.zones.length,
      names: zones.names.count,
      serial: zones.serial,
      turns,
      because,
      ...(because === "zones-changed" && { change: cause }),
    },
    "zones built",
  );
  if (rejected.size === 0) return;
  log.warn(
    { because: "name-not-served" satisfies Reason, names: rejected.size, first: [...rejected].slice(0, 5) },
    "names that cannot be served",
  );
}

/** Addresses of our name servers: as configured, else where we listen, if that is an address at all. */
function addressesOf({ nsAddresses, listen: endpoints }: DnsdConfig): readonly string[] {
  if (nsAddresses.length > 0) return nsAddresses;
  const hosts = endpoints.map((at) => formatAddress(address(splitEndpoint(at).host)));
  return [...new Set(hosts)].filter((host) => host !== "0.0.0.0" && host !== "::");
}

function endpointsOf({ port: { local } }: Listener, i: number): Record<string, string> {
  const at = joinEndpoint(formatAddress(local.address), local.port);
  return i === 0 ? { udp: at, tcp: at } : { [`udp${i}`]: at, [`tcp${i}`]: at };
}

const address = (text: string): Address => assertParsed(parseAddress(text), text);
