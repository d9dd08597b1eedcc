import { type DescMethod, type DescService, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

type Message = MessageShape<DescMethod["input"]>;

/** A service of the contract as grpc-js wants it, for servers and clients alike. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(method)]));
}

export function methodDefinition(method: DescMethod): MethodDefinition<Message, Message> {
  const streams = {
    unary: [false, false],
    client_streaming: [true, false],
    server_streaming: [false, true],
    bidi_streaming: [true, true],
  };
  const [requestStream, responseStream] = streams[method.methodKind] as [boolean, boolean];
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream,
    responseStream,
    requestSerialize: (message) => bytes(method.input, message),
    requestDeserialize: (buffer) => fromBinary(method.input, buffer),
    responseSerialize: (message) => bytes(method.output, message),
    responseDeserialize: (buffer) => fromBinary(method.output, buffer),
  };
}

function bytes(schema: DescMethod["input"], message: Message): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(schema, message);
  return Buffer.from(buffer, byteOffset, byteLength);
}
