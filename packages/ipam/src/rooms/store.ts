/** The IPAM's tables: whoever writes leases, segments or devices. For dhcpd, api and site. */
export { undurable, warningOf } from "../durability.ts";
export { MIGRATIONS, migrateIpam } from "../migrate.ts";
export { type Ipam, openIpam } from "../open.ts";
export { type Sequencer, type SequencerOptions, startSequencer } from "../sequencer.ts";
export * from "../store.ts";
export { prefixEdit, reservationEdit } from "../store/declare.ts";
export { createStore } from "../store/create.ts";
export type { DatabaseOptions } from "../store/pool.ts";
