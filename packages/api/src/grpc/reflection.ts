import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type {
  ServerReflection,
  ServerReflectionRequest,
} from "@firstlight/api-client/gen/grpc/reflection/v1/reflection_pb.js";
import type { ServerReflection as ServerReflectionAlpha } from "@firstlight/api-client/gen/grpc/reflection/v1alpha/reflection_pb.js";
import { status } from "@grpc/grpc-js";
import type { Handlers } from "./server.ts";

type Asked = Pick<ServerReflectionRequest, "messageRequest">;

/** gRPC reflection: `buf curl` and `grpcurl` can call the server without a proto file. */
export interface Reflection {
  /** The `message_response` of v1 and of v1alpha: their messages are alike. */
  answer(request: Asked): Answer;
}

export type Answer =
  | { readonly case: "listServicesResponse"; readonly value: { service: { name: string }[] } }
  | { readonly case: "fileDescriptorResponse"; readonly value: { fileDescriptorProto: Uint8Array[] } }
  | {
      readonly case: "allExtensionNumbersResponse";
      readonly value: { baseTypeName: string; extensionNumber: number[] };
    }
  | { readonly case: "errorResponse"; readonly value: { errorCode: number; errorMessage: string } };

export function createReflection(services: readonly DescService[]): Reflection {
  const files = new Map<string, DescFile>();
  const visit = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    file.dependencies.forEach(visit);
  };
  services.forEach((service) => visit(service.file));
  const symbols = new Map(
    [...files.values()].flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file] as const)),
  );

  return {
    answer({ messageRequest: { case: asked, value } }) {
      switch (asked) {
        case "listServices":
          return { case: "listServicesResponse", value: { service: services.map(({ typeName: name }) => ({ name })) } };
        case "fileByFilename":
          return described(files.get(value), `no file ${value}`);
        case "fileContainingSymbol":
          return described(symbols.get(value), `no symbol ${value}`);
        case "allExtensionNumbersOfType":
          if (!symbols.has(value)) return no(status.NOT_FOUND, `no symbol ${value}`);
          return { case: "allExtensionNumbersResponse", value: { baseTypeName: value, extensionNumber: [] } };
        case "fileContainingExtension":
          return no(status.NOT_FOUND, "proto3 services have no extensions");
        default:
          return no(status.INVALID_ARGUMENT, "nothing is asked");
      }
    },
  };
}

function described(file: DescFile | undefined, because: string): Answer {
  if (!file) return no(status.NOT_FOUND, because);
  const all = new Set<DescFile>();
  const visit = (one: DescFile): void => {
    if (all.has(one)) return;
    all.add(one);
    one.dependencies.forEach(visit);
  };
  visit(file);
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: [...all].map(bytes) } };
}

function bytes(file: DescFile): Uint8Array {
  return toBinary(FileDescriptorProtoSchema, file.proto);
}

function no(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage: errorMessage.slice(0, 256) } };
}

/** Every fully qualified name a file declares: types, their fields and values, services and their methods. */
function symbolsOf(file: DescFile): string[] {
  const messages = file.messages.flatMap(function nested(message): string[] {
    const own = [message.typeName, ...message.fields.map((field) => `${message.typeName}.${field.name}`)];
    const enums = message.nestedEnums.map((other) => other.typeName);
    return [...own, ...enums, ...message.nestedMessages.flatMap(nested)];
  });
  const services = file.services.flatMap(({ typeName, methods }) => [
    typeName,
    ...methods.map(({ name }) => `${typeName}.${name}`),
  ]);
  return [...messages, ...file.enums.map(({ typeName }) => typeName), ...services];
}

/** The same for both versions of the protocol: their messages are alike but for their names. */
export function reflectionHandlers<S extends typeof ServerReflection | typeof ServerReflectionAlpha>(
  reflection: Reflection,
): Handlers<S> {
  return {
    async *serverReflectionInfo(requests: AsyncIterable<ServerReflectionRequest>) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: reflection.answer(request) };
      }
    },
  } as unknown as Handlers<S>;
}
