/** Floor 1. The site's addresses and names: model, allocation, names → records; store, feed and replica. */
export { type Affected, affectedBy } from "./affected.ts";
export { type Ask, candidate, freeAt, type Ground } from "./allocate.ts";
export { isAssignable } from "./allocation/assignable.ts";
export * from "./config.ts";
export type * from "./feed.ts";
export * from "./follower.ts";
export { keyOf } from "./key.ts";
export type * from "./lease.ts";
export { MIGRATIONS, migrateIpam } from "./migrate.ts";
export type * from "./model.ts";
export * from "./records.ts";
export type * from "./replica.ts";
export { addressOfReverse, reverseName, reverseZones } from "./reverse.ts";
export type * from "./source.ts";
export * from "./store.ts";
export { nameServersOf, type Soa, type Zone, zonesOf } from "./zones.ts";
