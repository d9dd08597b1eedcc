import type { ExpectedMachines, Replica, SiteDeclaration } from "@firstlight/ipam";
import { Refused, type Store } from "@firstlight/ipam/store";
import { createHistory } from "@firstlight/ipam/ops";
import { BootService } from "@firstlight/api-client/gen/firstlight/v1/boot_pb.js";
import { DeviceService } from "@firstlight/api-client/gen/firstlight/v1/device_pb.js";
import { EventService } from "@firstlight/api-client/gen/firstlight/v1/event_pb.js";
import { ExchangeService } from "@firstlight/api-client/gen/firstlight/v1/exchange_pb.js";
import { HistoryService } from "@firstlight/api-client/gen/firstlight/v1/history_pb.js";
import { IpamService } from "@firstlight/api-client/gen/firstlight/v1/ipam_pb.js";
import { MachineService } from "@firstlight/api-client/gen/firstlight/v1/machine_pb.js";
import { PoolService } from "@firstlight/api-client/gen/firstlight/v1/pool_pb.js";
import { ReservationService } from "@firstlight/api-client/gen/firstlight/v1/reservation_pb.js";
import { Health } from "@firstlight/api-client/gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "@firstlight/api-client/gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionAlpha } from "@firstlight/api-client/gen/grpc/reflection/v1alpha/reflection_pb.js";
import { traceEvent } from "@firstlight/api-client";
import {
  type Context,
  describeReason,
  type DescribedReason,
  joinEndpoint,
  type Readiness,
  type Running,
  splitEndpoint,
} from "@firstlight/service";
import { formatMac, isMalformed, parseMac } from "@firstlight/wire";
import { status } from "@grpc/grpc-js";
import type { Pool } from "pg";
import { bootHandlers } from "./boot/handlers.ts";
import type { ApiConfig } from "./config.ts";
import { deviceHandlers } from "./ipam/device.ts";
import { eventHandlers } from "./events/handlers.ts";
import { createExchange } from "@firstlight/ipam/exchange";
import { exchangeHandlers } from "./ipam/exchange.ts";
import { healthHandlers } from "./grpc/health.ts";
import { historyHandlers } from "./ipam/history.ts";
import { ipamHandlers } from "./ipam/handlers.ts";
import { machineHandlers } from "./machine/handlers.ts";
import { createApiMetrics } from "./metrics.ts";
import { poolHandlers } from "./ipam/pool.ts";
import { databasePulse } from "./database-probe.ts";
import { REASONS } from "./reasons.ts";
import { createRecorder } from "./events/recorder.ts";
import { createReflection, reflectionHandlers } from "./grpc/reflection.ts";
import { reservationHandlers } from "./ipam/reservation.ts";
import { createRoster, type Roster } from "./machine/roster.ts";
import type { Expected } from "./machine/expected.ts";
import { createTokens, loadSecret } from "./boot/token.ts";
import { createApiServer } from "./grpc/server.ts";
import { createSite, expectedFrom } from "./ipam/site.ts";
import { utilisationMetrics } from "./ipam/utilisation.ts";
import { CHANNEL, createWatch } from "./machine/watch.ts";

/** What the API needs of the IPAM: as `openIpam` gives it. */
export interface Ipam {
  readonly store: Store;
  readonly replica: Replica;
  ready(): Readiness;
}

/** What the API needs of its context. */
export type ApiContext = Omit<Context<ApiConfig>, "sections">;

/** Every service of the contract, in the order reflection lists them. */
export const SERVICES = [
  BootService,
  EventService,
  MachineService,
  IpamService,
  PoolService,
  ReservationService,
  DeviceService,
  HistoryService,
  ExchangeService,
  Health,
  ServerReflection,
  ServerReflectionAlpha,
];

/** Writes the declarations of the site's file, then serves. The caller closes what it passes in. */
export async function startApi(context: ApiContext, ipam: Ipam, pool: Pool, site: SiteDeclaration): Promise<Running> {
  const { config, log, shared, clock } = context;
  const { store, replica } = ipam;
  const where = createSite(replica, store);
  const roster = createRoster({ pool, maxUnexpected: config.maxUnexpected, expected: where.expected });
  const tokens = createTokens(await loadSecret(pool));
  const changed = (id: string): void => {
    shared.publish(CHANNEL, id).catch((error: unknown) => log.warn({ error }, "watchers not told"));
  };

  const refused = await declare(store, site, log);
  for (const id of await roster.expect([...expectedIn(site.expectedMachines), ...inReplica(replica)])) changed(id);
  const following = followExpected(replica, roster, changed, (error) =>
    log.warn({ error }, "expected machines not taken over"),
  );

  const metrics = createApiMetrics(context.metrics, pool);
  const history = createHistory(pool);
  utilisationMetrics(context.metrics, history, config.history.trendDays, () => clock.now());
  const sizes = { machine: config.eventsPerMachine, unknown: config.unknownEvents };
  const recorder = createRecorder({
    pool,
    roster,
    tokens,
    sizes,
    changed,
    traced: (event) => traceEvent(context.traces, event),
    now: () => clock.now(),
  });
  const watch = await createWatch({ pool, shared, maxWatchers: config.maxWatchers, count: metrics.watchers });
  const pulse = databasePulse(pool);
  const ready = (): Readiness => {
    if (!pulse.isThere()) return { ready: false, ...describeReason(REASONS, "database-away") };
    return { ...refused, ...ipam.ready() };
  };

  const server = createApiServer({
    site: context.site.site.name,
    credentials: context.credentials,
    ended(method, code, error) {
      metrics.call(method, code);
      if (code === status.INTERNAL) log.error({ error, method }, "call failed");
      else if (error !== undefined) log.debug({ error, method, code: status[code] }, "call refused");
    },
  });
  server.serve(BootService, bootHandlers({ pool, roster, recorder, site: where, tokens }));
  server.serve(EventService, eventHandlers({ pool, recorder, metrics }));
  server.serve(MachineService, machineHandlers({ pool, replica, site: where, recorder, watch }));
  server.serve(IpamService, ipamHandlers(store, replica));
  server.serve(PoolService, poolHandlers(store));
  server.serve(ReservationService, reservationHandlers(store, replica));
  server.serve(DeviceService, deviceHandlers(store, replica));
  server.serve(
    HistoryService,
    historyHandlers(history, config.history.trendDays, () => clock.now()),
  );
  const exchange = createExchange(pool);
  server.serve(ExchangeService, exchangeHandlers(exchange));
  server.serve(Health, healthHandlers(SERVICES, ready));
  const reflection = createReflection(SERVICES);
  server.serve(ServerReflection, reflectionHandlers(reflection));
  server.serve(ServerReflectionAlpha, reflectionHandlers(reflection));
  const port = await server.listen(config.listen);

  return {
    endpoints: { grpc: joinEndpoint(splitEndpoint(config.listen).host, port) },
    ready,
    drain: () => server.drain(),
    async stop() {
      server.stop();
      exchange.close();
      following[Symbol.dispose]();
      pulse[Symbol.dispose]();
      await watch[Symbol.asyncDispose]();
    },
  };
}

/** Writes the declarations of the site's file. If one is refused, the database stays as it is, and log and `/ready` say why. */
async function declare(store: Store, site: SiteDeclaration, log: ApiContext["log"]): Promise<Partial<DescribedReason>> {
  try {
    const { changed, faults } = await store.declare(site, "config");
    for (const change of changed) log.info({ change }, "declared");
    for (const because of faults) log.warn({ because }, "left out of what the site's file declares");
    return faults.length === 0 ? {} : describeReason(REASONS, "declaration-incomplete", { faults: faults.join("; ") });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    log.error({ because: error.message }, "the site's file asks for what cannot be: the database stays as it is");
    return describeReason(REASONS, "declaration-refused", { fault: error.message });
  }
}

function expectedIn(machines: ExpectedMachines): Expected[] {
  return machines.flatMap(({ name, serial, interfaces }) =>
    interfaces.map(({ mac, role }): Expected => {
      const key = parseMac(mac);
      return {
        machine: name,
        mac: isMalformed(key) ? mac : formatMac(key),
        role,
        ...(serial !== undefined && { serial }),
      };
    }),
  );
}

function inReplica(replica: Replica): Expected[] {
  return [...replica.expectedDevices()].map(expectedFrom);
}

/** Makes a device that is expected later, by an operator or another API, part of its machine at once. */
function followExpected(
  replica: Replica,
  roster: Roster,
  changed: (id: string) => void,
  failed: (error: unknown) => void,
): Disposable {
  return replica.follow((event) => {
    const devices =
      event.is === "reload"
        ? inReplica(replica)
        : event.changes.flatMap((change) =>
            change.is === "row" && change.row?.kind === "expected" ? [expectedFrom(change.row)] : [],
          );
    if (devices.length > 0) roster.expect(devices).then((ids) => ids.forEach(changed), failed);
  });
}
