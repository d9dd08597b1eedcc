import { type BootEvent, EVENT_LIMITS, eventFromWire, formatSubject, type Subject } from "@firstlight/api-client";
import type { Event, EventService } from "@firstlight/api-client/gen/firstlight/v1/event_pb.js";
import type { Pool } from "pg";
import { mayTell } from "../grpc/authorise.ts";
import { addressText, detailOf, macOf, textOf, traceOf } from "../grpc/field.ts";
import type { ApiMetrics } from "../metrics.ts";
import { invalid, callRefused } from "../grpc/error.ts";
import { feedPosition, type Recorder } from "./recorder.ts";
import type { Handlers } from "../grpc/server.ts";

export interface EventParts {
  readonly pool: Pool;
  readonly recorder: Pick<Recorder, "report">;
  readonly metrics: Pick<ApiMetrics, "events">;
}

const MOST_EVENTS = 1_000;
const YEAR_2020 = 1_577_836_800_000;
const YEAR_2100 = 4_102_444_800_000;

/** Takes the events that daemons report. Answers once they are stored; an event id that is already stored changes nothing. */
export function eventHandlers({ pool, recorder, metrics }: EventParts): Handlers<typeof EventService> {
  return {
    async report({ events, position }, { subject }) {
      if (events.length > MOST_EVENTS) throw invalid("events", "field-too-many", { most: `${MOST_EVENTS} at once` });
      if (position && formatSubject(subject) !== "daemon/dhcpd") throw callRefused("feed-events-not-allowed");
      const wanted = events.map((event, i) => readEvent(event, `events[${i}]`, subject));
      const stored = await recorder.report(wanted, position && readPosition(position));
      metrics.events(stored.length, events.length - stored.length);
      return { stored };
    },
    async getFeedPosition() {
      const position = await feedPosition(pool);
      return position ? { position: { epoch: position.epoch, position: BigInt(position.position) } } : {};
    },
  };
}

function readEvent(wire: Event, field: string, subject: Subject): BootEvent {
  const event = eventFromWire(wire);
  if (!event) throw invalid(`${field}.kind`, "event-kind-unknown", { kind: JSON.stringify(wire.kind.slice(0, 64)) });
  if (!mayTell(subject, event.kind))
    throw callRefused("event-not-allowed", { subject: formatSubject(subject), kind: event.kind });
  const { id, at, kind, mac, address, because, trace, detail } = event;
  if (at < YEAR_2020 || at > YEAR_2100) throw invalid(`${field}.at`, "event-time-impossible");
  return {
    id: textOf(id, `${field}.id`, EVENT_LIMITS.id, 1),
    at,
    kind,
    ...(mac !== undefined && { mac: macOf(mac, `${field}.mac`) }),
    ...(address !== undefined && { address: addressText(address, `${field}.address`) }),
    ...(because !== undefined && { because: textOf(because, `${field}.because`, EVENT_LIMITS.text) }),
    ...(trace !== undefined && { trace: traceOf(trace, `${field}.trace`)! }),
    ...(detail && { detail: detailOf(detail, `${field}.detail`) }),
  };
}

function readPosition({ epoch, position }: { epoch: string; position: bigint }) {
  if (position > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid("position.position", "position-too-large");
  return { epoch: textOf(epoch, "position.epoch", 64, 1), position: Number(position) };
}
