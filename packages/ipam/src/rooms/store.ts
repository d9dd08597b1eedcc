/** The IPAM's tables: whoever writes leases, segments or devices. For dhcpd, api and site. */
export { undurable, warningOf } from "../store/durability.ts";
export { MIGRATIONS, migrateIpam } from "../store/migrate.ts";
export { type Ipam, openIpam } from "../store/open.ts";
export { type Sequencer, type SequencerOptions, startSequencer } from "../feed/sequencer.ts";
export * from "../store/store.ts";
export { prefixEdit, reservationEdit } from "../store/declare.ts";
export { createStore } from "../store/create.ts";
export type { DatabaseOptions } from "../database/connections.ts";
