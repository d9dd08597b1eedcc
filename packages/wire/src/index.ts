/** Floor 0. Addresses, prefixes and registries as values; the codecs are at `wire/dhcp4`, `wire/tftp`, `wire/dns`. No I/O. */
export * from "./address.ts";
export * from "./bytes.ts";
export * from "./mac.ts";
export * from "./malformed.ts";
export * from "./prefix.ts";
export * from "./registry.ts";
