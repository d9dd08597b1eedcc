/** DHCPv4 as bytes: RFC 2131 messages, RFC 2132 and later options. Tables of options; decode, encode, no I/O. */
export * from "./decode.ts";
export * from "./encode.ts";
export * from "./message.ts";
export * from "./options.ts";
export * from "./registry.ts";
