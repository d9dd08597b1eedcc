/** The replica of the IPAM in a daemon's memory, kept up to date from the change feed. It cannot write. */
export * from "../follower.ts";
export * from "../source.ts";
export { PgSource } from "../source/postgres.ts";
export { openReplica } from "../open-replica.ts";
