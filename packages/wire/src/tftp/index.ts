/** TFTP on the wire: RFC 1350, options by RFC 2347 (blksize 2348, timeout and tsize 2349, windowsize 7440). */
export * from "./decode.ts";
export * from "./encode.ts";
export * from "./message.ts";
