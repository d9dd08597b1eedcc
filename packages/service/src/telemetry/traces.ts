import {
  type Context as Parent,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace as otel,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { Counter, type Registry } from "prom-client";
import type { SiteConfig } from "../config/site.ts";
import { withTimeout } from "../time/timeout.ts";

/** A part of a trace that several processes write. Times in milliseconds since the epoch. */
export interface Span {
  /** 32 hex digits (W3C Trace Context §3.2.2.3); another value makes no span. */
  readonly trace: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Traces {
  /** Queues a span for the collector; dropped when the queue is full. */
  span(span: Span): void;
  /** Sends the queued spans, within three seconds. */
  stop(): Promise<void>;
}

const SEND_MS = 3_000;
const MAX_QUEUED_SPANS = 4096;

/** Exports spans to the collector of `traces.endpoint`. Without one: `undefined`, and the OpenTelemetry libraries are not loaded. */
export async function createTraces(site: SiteConfig, daemon: string, metrics: Registry): Promise<Traces | undefined> {
  const { endpoint } = site.traces;
  if (endpoint === undefined) return undefined;
  const { resourceFromAttributes } = await import("@opentelemetry/resources");
  const { BatchSpanProcessor, NodeTracerProvider } = await import("@opentelemetry/sdk-trace-node");
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      "service.name": daemon,
      "service.namespace": "firstlight",
      "deployment.environment.name": site.site.name,
    }),
    spanProcessors: [
      new BatchSpanProcessor(await exporter(endpoint, metrics), {
        maxQueueSize: MAX_QUEUED_SPANS,
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: SEND_MS,
      }),
    ],
  });
  const tracer = provider.getTracer("firstlight");
  return { span: (span) => record(tracer, span), stop: () => withTimeout(SEND_MS, provider.shutdown()) };
}

function record(tracer: Tracer, { trace, name, from, to, attributes }: Span): void {
  const parent = rootOf(trace);
  if (parent !== undefined) tracer.startSpan(name, { startTime: from, attributes }, parent).end(to);
}

/** All processes derive the same parent span from the trace: its id is the first half of the trace id. */
function rootOf(traceId: string): Parent | undefined {
  const root = { traceId, spanId: traceId.slice(0, 16), traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(root) ? otel.setSpanContext(ROOT_CONTEXT, root) : undefined;
}

async function exporter(endpoint: string, metrics: Registry) {
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  const spans = new Counter({
    name: "firstlight_spans_total",
    help: "Spans exported to the collector, by outcome",
    labelNames: ["outcome"],
    registers: [metrics],
  });
  const url = new URL(endpoint);
  if (url.pathname === "/") url.pathname = "/v1/traces"; // as with OTEL_EXPORTER_OTLP_ENDPOINT
  const collector = new OTLPTraceExporter({ url: url.href, timeoutMillis: SEND_MS });
  const send = collector.export.bind(collector);
  collector.export = (batch, done) =>
    send(batch, (result) => {
      spans.inc({ outcome: result.error === undefined ? "sent" : "lost" }, batch.length);
      done(result);
    });
  return collector;
}
