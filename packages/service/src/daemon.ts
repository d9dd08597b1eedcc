import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { z } from "zod";
import type { Clock } from "./clock.ts";
import type { Credentials } from "./tls.ts";
import type { Shared } from "./shared.ts";
import type { SiteConfig } from "./site.ts";
import type { Traces } from "./traces.ts";

/**
 * What every daemon of the site looks like from outside. `service` reads its configuration, gives it the context,
 * starts it, answers for its health and stops it; the daemon joins its own parts in `main.ts` and decides nothing else.
 */
export interface Daemon<Schema extends z.ZodType = z.ZodType> {
  /** As on the command line and in the log: `dhcpd`. */
  readonly name: string;
  /** Key of its section in the site's YAML file: `dhcpd`, `pxeHttp`. */
  readonly section: string;
  readonly config: Schema;
  start(context: Context<z.output<Schema>>): Promise<Running>;
}

/** Everything a daemon may reach. Nothing else is global. */
export interface Context<Config> {
  readonly config: Config;
  /** The sections all daemons share: name, state folder, database, API address, trust. */
  readonly site: SiteConfig;
  /** Every section of the file as validated, for the ones that a daemon shares with another (`ipam`). */
  readonly sections: Readonly<Record<string, unknown>>;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Absent where no collector is configured. */
  readonly traces?: Pick<Traces, "span"> | undefined;
  readonly clock: Clock;
  /** This daemon's certificate, key and the site's CA, re-read when the files change. */
  readonly credentials: Credentials;
  /** Limits and fan-out shared by replicas: Redis where configured, else this process alone. */
  readonly shared: Shared;
}

/** A started daemon. `ready` is asked often and answers from memory. */
export interface Running {
  /** Where it listens, for people and for the supervisor: `{ udp: "127.0.0.1:6767" }`. */
  readonly endpoints: Readonly<Record<string, string>>;
  ready(): Readiness;
  /** Takes no new work and finishes what is under way. */
  drain(): Promise<void>;
  /** Closes everything. Called after `drain`, or alone when draining took too long. */
  stop(): Promise<void>;
}

/** A start that fails as often as it is tried: this machine is not what the configuration takes it for. */
export class Unfit extends Error {
  readonly code = "FL_UNFIT";
}

export interface Readiness {
  readonly ready: boolean;
  /** Why not, or what is degraded (`database away for 12 s, serving the replica`). */
  readonly because?: string;
  /** Age of what is being served, where it is a replica. */
  readonly stalenessMs?: number;
}
