import type { Credentials } from "@firstlight/service";
import { openChannel } from "./channel.ts";
import { BootService } from "./gen/firstlight/v1/boot_pb.js";
import { EventService } from "./gen/firstlight/v1/event_pb.js";
import { ExchangeService } from "./gen/firstlight/v1/exchange_pb.js";
import { HistoryService } from "./gen/firstlight/v1/history_pb.js";
import { IpamService } from "./gen/firstlight/v1/ipam_pb.js";
import { MachineService } from "./gen/firstlight/v1/machine_pb.js";
import { Health } from "./gen/grpc/health/v1/health_pb.js";
import { PoolService } from "./gen/firstlight/v1/pool_pb.js";
import { ReservationService } from "./gen/firstlight/v1/reservation_pb.js";
import { type Stub, stub } from "./stub.ts";

/** Every service of the API, typed, for the CLI, the console and tests. */
export interface Operator extends Disposable {
  readonly machines: Stub<typeof MachineService>;
  readonly ipam: Stub<typeof IpamService>;
  readonly history: Stub<typeof HistoryService>;
  readonly pools: Stub<typeof PoolService>;
  readonly reservations: Stub<typeof ReservationService>;
  readonly exchange: Stub<typeof ExchangeService>;
  readonly boot: Stub<typeof BootService>;
  readonly events: Stub<typeof EventService>;
  readonly health: Stub<typeof Health>;
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
    machines: stub(MachineService, client),
    ipam: stub(IpamService, client),
    history: stub(HistoryService, client),
    pools: stub(PoolService, client),
    reservations: stub(ReservationService, client),
    exchange: stub(ExchangeService, client),
    boot: stub(BootService, client),
    events: stub(EventService, client),
    health: stub(Health, client),
    [Symbol.dispose]: () => client.close(),
  };
}
