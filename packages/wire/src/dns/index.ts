/** DNS on the wire: values for tests, tools and clients (`decode`, `encode`), and `scan`, the server's hot path. */
export * from "./decode.ts";
export * from "./encode.ts";
export * from "./labels.ts";
export * from "./message.ts";
export * from "./name.ts";
export * from "./presentation.ts";
export * from "./query.ts";
export { writeData } from "./rdata.ts";
export * from "./records.ts";
export * from "./registry.ts";
export * from "./scan.ts";
