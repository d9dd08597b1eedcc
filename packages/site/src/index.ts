export { openCa, spiffe, type Ca, type Issued, type Subject } from "./ca.ts";
export { daemonsOf, DAEMON_NAMES, DAEMONS, type DaemonName } from "./process/daemons.ts";
export { choosePorts, DOMAIN, embeddedSite, type EmbeddedSite, PORTS, type Ports, SEGMENTS } from "./up/embedded.ts";
export { writeContext, type OperatorFile } from "./operator.ts";
export { type PostgresOptions, type RunningPostgres, startPostgres } from "./postgres.ts";
export { SECTIONS } from "./sections.ts";
