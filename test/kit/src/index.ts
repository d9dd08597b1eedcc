export * from "./api.ts";
export * from "./clock.ts";
export * from "./collector.ts";
export * from "./cut.ts";
export * from "./ipam.ts";
export * from "./leases.ts";
export * from "./rows.ts";
export * from "./trust.ts";
