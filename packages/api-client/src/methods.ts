import {
  create,
  type DescMethod,
  type DescMethodClientStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Client, Metadata } from "@grpc/grpc-js";
import { methodDefinition } from "./service.ts";

/** How long one call may take, all in; streams without a deadline run until their signal or their peer ends them. */
export interface CallLimits {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

/** A service of the contract as promises and async iterables. Failures are grpc-js's `ServiceError`. */
export type MethodsOf<S extends DescService> = {
  readonly [M in keyof S["method"]]: S["method"][M] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, limits?: CallLimits) => Promise<MessageShape<O>>
    : S["method"][M] extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, limits?: CallLimits) => AsyncIterable<MessageShape<O>>
      : S["method"][M] extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: Iterable<MessageInitShape<I>>, limits?: CallLimits) => Promise<MessageShape<O>>
        : never;
};

const UNARY_DEADLINE_MS = 10_000;

/** The service's methods over one channel; several services may share a client. */
export function methodsOf<S extends DescService>(service: S, client: Client): MethodsOf<S> {
  const methods = service.methods.map((method) => [method.localName, KINDS[method.methodKind](method, client)]);
  return Object.fromEntries(methods) as MethodsOf<S>;
}

/** Nobody but a server's own tests speaks both ways at once. */
const KINDS = {
  unary,
  client_streaming: clientStream,
  server_streaming: serverStream,
  bidi_streaming: serverStream,
} as const satisfies Record<DescMethod["methodKind"], (method: DescMethod, client: Client) => unknown>;

function unary(method: DescMethod, client: Client) {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  return (
    request: MessageInitShape<typeof method.input>,
    { deadlineMs = UNARY_DEADLINE_MS, signal }: CallLimits = {},
  ) =>
    new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        create(method.input, request),
        new Metadata(),
        { deadline: Date.now() + deadlineMs },
        (error, response) => {
          signal?.removeEventListener("abort", cancel);
          if (error) reject(error);
          else resolve(response);
        },
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener("abort", cancel, { once: true });
      if (signal?.aborted) cancel();
    });
}

/** Requests go out as the peer takes them; its answer, also an early no, ends them. */
function clientStream(method: DescMethod, client: Client) {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  return async (
    requests: Iterable<MessageInitShape<typeof method.input>>,
    { deadlineMs = UNARY_DEADLINE_MS, signal }: CallLimits = {},
  ) => {
    const answer = Promise.withResolvers<unknown>();
    let isAnswered = false;
    const call = client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      { deadline: Date.now() + deadlineMs },
      (error, response) => {
        isAnswered = true;
        if (error) answer.reject(error);
        else answer.resolve(response);
      },
    );
    call.on("error", () => {}); // the answer says it
    const cancel = (): void => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) cancel();
    try {
      for (const request of requests) {
        if (isAnswered) break;
        if (call.write(create(method.input, request))) continue;
        await Promise.race([new Promise((resolve) => call.once("drain", resolve)), answer.promise]);
      }
      call.end();
      return await answer.promise;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  };
}

function serverStream(method: DescMethod, client: Client) {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  return async function* (request: MessageInitShape<typeof method.input>, { deadlineMs, signal }: CallLimits = {}) {
    const deadline = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    const message = create(method.input, request);
    const call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      new Metadata(),
      deadline,
    );
    const cancel = (): void => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) cancel();
    try {
      yield* call;
    } finally {
      signal?.removeEventListener("abort", cancel);
      call.on("error", () => {}); // the reader has left: how the stream ends is nobody's news any more
      call.cancel();
    }
  };
}
