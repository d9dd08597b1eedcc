import type { Tracer } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider, type SpanProcessor } from "@opentelemetry/sdk-trace-node";
import type { SiteConfig } from "./site.ts";

export interface Traces {
  readonly tracer: Tracer;
  /** Sends what is waiting, for at most as long as the exporter's own timeout. */
  stop(): Promise<void>;
}

/** Spans always have ids, so that one trace spans a boot; they leave the process only where a collector is configured. */
export async function createTraces(site: SiteConfig, daemon: string): Promise<Traces> {
  const endpoint = site.traces.endpoint;
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      "service.name": daemon,
      "service.namespace": "firstlight",
      "deployment.environment.name": site.site.name,
    }),
    spanProcessors: endpoint === undefined ? [] : [await exporting(endpoint)],
  });
  return { tracer: provider.getTracer("firstlight"), stop: () => provider.shutdown() };
}

async function exporting(endpoint: string): Promise<SpanProcessor> {
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  const url = new URL(endpoint);
  if (url.pathname === "/") url.pathname = "/v1/traces"; // as OTEL_EXPORTER_OTLP_ENDPOINT has it
  return new BatchSpanProcessor(new OTLPTraceExporter({ url: url.href, timeoutMillis: 3000 }), { maxQueueSize: 4096 });
}
