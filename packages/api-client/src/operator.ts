import type { Credentials } from "@firstlight/service";
import { openChannel } from "./channel.ts";
import { BootService } from "./gen/firstlight/v1/boot_pb.js";
import { DeviceService } from "./gen/firstlight/v1/device_pb.js";
import { EventService } from "./gen/firstlight/v1/event_pb.js";
import { ExchangeService } from "./gen/firstlight/v1/exchange_pb.js";
import { HistoryService } from "./gen/firstlight/v1/history_pb.js";
import { IpamService } from "./gen/firstlight/v1/ipam_pb.js";
import { MachineService } from "./gen/firstlight/v1/machine_pb.js";
import { Health } from "./gen/grpc/health/v1/health_pb.js";
import { PoolService } from "./gen/firstlight/v1/pool_pb.js";
import { ReservationService } from "./gen/firstlight/v1/reservation_pb.js";
import { methodsOf, type MethodsOf } from "./methods.ts";

/** Every service of the API, typed, for the CLI, the console and tests. */
export interface Operator extends Disposable {
  readonly machines: MethodsOf<typeof MachineService>;
  readonly ipam: MethodsOf<typeof IpamService>;
  readonly devices: MethodsOf<typeof DeviceService>;
  readonly history: MethodsOf<typeof HistoryService>;
  readonly pools: MethodsOf<typeof PoolService>;
  readonly reservations: MethodsOf<typeof ReservationService>;
  readonly exchange: MethodsOf<typeof ExchangeService>;
  readonly boot: MethodsOf<typeof BootService>;
  readonly events: MethodsOf<typeof EventService>;
  readonly health: MethodsOf<typeof Health>;
}

/** Where and as whom: PEM bytes of the site's CA and the operator's certificate and key. */
export interface OperatorContext extends Credentials {
  readonly address: string;
  readonly site: string;
}

/** Connects when first used. Failures are grpc-js's `ServiceError`: `code` is a `status`, `details` is for people. */
export function connectOperator({ address, site, ...credentials }: OperatorContext): Operator {
  const client = openChannel({ address, site, credentials });
  return {
    machines: methodsOf(MachineService, client),
    ipam: methodsOf(IpamService, client),
    devices: methodsOf(DeviceService, client),
    history: methodsOf(HistoryService, client),
    pools: methodsOf(PoolService, client),
    reservations: methodsOf(ReservationService, client),
    exchange: methodsOf(ExchangeService, client),
    boot: methodsOf(BootService, client),
    events: methodsOf(EventService, client),
    health: methodsOf(Health, client),
    [Symbol.dispose]: () => client.close(),
  };
}
