import {
  create,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { formatSubject, serviceDefinition, type Subject } from "@firstlight/api-client";
import type { Credentials } from "@firstlight/service";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { mayCall } from "./authorise.ts";
import { callerOf } from "./caller.ts";
import { callRefused, statusOf } from "./error.ts";

/** The caller, and a signal that is aborted when the caller disconnects or the server drains. */
export interface Call {
  readonly subject: Subject;
  readonly actor: string;
  readonly signal: AbortSignal;
}

/** A service's methods as plain functions of messages. */
export type Handlers<S extends DescService> = {
  readonly [M in keyof S["method"]]: S["method"][M] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: Call) => Promise<MessageInitShape<O>> | MessageInitShape<O>
    : S["method"][M] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, call: Call) => AsyncIterable<MessageInitShape<O>>
      : S["method"][M] extends DescMethodBiDiStreaming<infer I, infer O>
        ? (requests: AsyncIterable<MessageShape<I>>, call: Call) => AsyncIterable<MessageInitShape<O>>
        : S["method"][M] extends DescMethodClientStreaming<infer I, infer O>
          ? (requests: AsyncIterable<MessageShape<I>>, call: Call) => Promise<MessageInitShape<O>>
          : never;
};

export interface ServerParts {
  readonly site: string;
  readonly credentials: Credentials;
  /** Called after each call with the method's full name and the status. */
  readonly ended: (method: string, code: status, error: unknown) => void;
}

export interface ApiServer {
  serve<S extends DescService>(service: S, handlers: Handlers<S>): void;
  /** The port, the real one where 0 was asked for. */
  listen(address: string): Promise<number>;
  /** Ends streams, refuses new calls and waits for running ones. */
  drain(): Promise<void>;
  stop(): void;
}

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const OPTIONS = {
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_concurrent_streams": 256,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
};

type Any = MessageShape<DescMethod["input"]>;
type AnyCall =
  | ServerUnaryCall<Any, Any>
  | ServerReadableStream<Any, Any>
  | ServerWritableStream<Any, Any>
  | ServerDuplexStream<Any, Any>;
type Handler = (request: unknown, call: Call) => unknown;

/** gRPC over mTLS: a client without a certificate of the site's CA gets no connection, one without a rule no answer. */
export function createApiServer({ site, credentials, ended }: ServerParts): ApiServer {
  const server = new Server(OPTIONS);
  const draining = new AbortController();

  function admit(method: string, call: AnyCall): Call {
    const subject = callerOf(call);
    if (subject?.site !== site) throw callRefused("certificate-of-another-site", { site });
    if (!mayCall(subject, method)) throw callRefused("method-not-allowed", { subject: formatSubject(subject), method });
    const gone = new AbortController();
    (call as ServerUnaryCall<Any, Any>).on("cancelled", () => gone.abort());
    return { subject, actor: formatSubject(subject), signal: AbortSignal.any([gone.signal, draining.signal]) };
  }

  /** One answer, to a request or to a stream of them. */
  const answering =
    (name: string, method: DescMethod, handler: Handler) => async (call: AnyCall, reply: sendUnaryData<Any>) => {
      try {
        const request = method.methodKind === "unary" ? (call as ServerUnaryCall<Any, Any>).request : call;
        const response = await handler(request, admit(name, call));
        ended(name, status.OK, undefined);
        reply(null, create(method.output, response as Record<string, unknown>));
      } catch (error) {
        reply(end(name, error));
      }
    };

  const streaming = (name: string, method: DescMethod, handler: Handler) => async (call: AnyCall) => {
    const stream = call as ServerDuplexStream<Any, Any>;
    stream.on("error", () => {}); // the peer has disconnected: `cancelled` reports it
    try {
      const admitted = admit(name, call);
      const request =
        method.methodKind === "server_streaming" ? (call as ServerWritableStream<Any, Any>).request : stream;
      for await (const response of handler(request, admitted) as AsyncIterable<Record<string, unknown>>) {
        if (!stream.write(create(method.output, response))) await drained(stream, admitted.signal);
        if (admitted.signal.aborted) break;
      }
      if (draining.signal.aborted) throw callRefused("stopping");
      ended(name, status.OK, undefined);
      stream.end();
    } catch (error) {
      stream.emit("error", end(name, error));
    }
  };

  function end(name: string, error: unknown): ReturnType<typeof statusOf> {
    const is = statusOf(error);
    ended(name, is.code, error);
    return is;
  }

  return {
    serve(service, handlers) {
      const table = handlers as Readonly<Record<string, Handler>>;
      const methods = service.methods.map((method) => {
        const isAnswered = method.methodKind === "unary" || method.methodKind === "client_streaming";
        const wrap = isAnswered ? answering : streaming;
        return [method.localName, wrap(`${service.typeName}/${method.name}`, method, table[method.localName]!)];
      });
      server.addService(serviceDefinition(service), Object.fromEntries(methods));
    },
    listen: (address) =>
      new Promise((resolve, reject) => {
        const pair = { private_key: credentials.key, cert_chain: credentials.cert };
        const tls = ServerCredentials.createSsl(credentials.ca, [pair], true);
        server.bindAsync(address, tls, (error, port) => (error ? reject(error) : resolve(port)));
      }),
    drain: () => {
      draining.abort();
      return new Promise((resolve) => server.tryShutdown(() => resolve()));
    },
    stop: () => server.forceShutdown(),
  };
}

/** Resolves once the peer has read what was written, or has disconnected. */
function drained(stream: ServerDuplexStream<Any, Any>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    stream.once("drain", done);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
