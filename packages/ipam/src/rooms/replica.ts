/** The replica of the IPAM in a daemon's memory, kept up to date from the change feed. It cannot write. */
export * from "../feed/follower.ts";
export * from "../feed/source.ts";
export { PgSource } from "../feed/postgres.ts";
export { openReplica } from "../replica/open.ts";
