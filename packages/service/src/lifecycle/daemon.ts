import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { z } from "zod";
import type { Clock } from "../time/clock.ts";
import type { Credentials } from "../config/credentials.ts";
import type { Readiness } from "./readiness.ts";
import type { Shared } from "../shared/shared.ts";
import type { SiteConfig } from "../config/site.ts";
import type { Traces } from "../telemetry/traces.ts";

/**
 * The interface of every daemon of the site. `service` reads its configuration, creates the context, starts it, serves
 * its health endpoint and stops it; the daemon connects its own parts in `main.ts`.
 */
export interface Daemon<Schema extends z.ZodType = z.ZodType> {
  /** As on the command line and in the log: `dhcpd`. */
  readonly name: string;
  /** Key of its section in the site's YAML file: `dhcpd`, `pxeHttp`. */
  readonly section: string;
  /** Schema of that section. */
  readonly config: Schema;
  /** Opens sockets and starts serving. Rejects where it cannot; a `MissingPrerequisite` where a restart does not help. */
  start(context: Context<z.output<Schema>>): Promise<Running>;
}

/** Everything that a daemon gets from its process. It uses no other global state. */
export interface Context<Config> {
  readonly config: Config;
  /** The sections all daemons share: name, state folder, database, API address, trust. */
  readonly site: SiteConfig;
  /** Every section of the file as validated, for the ones that a daemon shares with another (`ipam`). */
  readonly sections: Readonly<Record<string, unknown>>;
  readonly log: Logger;
  readonly metrics: Registry;
  /** `undefined` where no collector is configured. */
  readonly traces?: Pick<Traces, "span"> | undefined;
  readonly clock: Clock;
  /** This daemon's certificate, key and the site's CA, re-read when the files change. */
  readonly credentials: Credentials;
  /** Limits and messages that several processes of this daemon share: over Redis where configured, otherwise within this process. */
  readonly shared: Shared;
}

/** A started daemon. `ready` is called often and answers from memory. */
export interface Running {
  /** Where it listens, for operators and for the supervisor: `{ udp: "127.0.0.1:6767" }`. */
  readonly endpoints: Readonly<Record<string, string>>;
  ready(): Readiness;
  /** Accepts no new work and finishes the work in progress. */
  drain(): Promise<void>;
  /** Closes everything. Called after `drain`, also when draining failed or took too long. */
  stop(): Promise<void>;
}

/** `start` failed because this machine lacks something that the configuration requires. A restart does not help. */
export class MissingPrerequisite extends Error {
  readonly code = "FL_MISSING_PREREQUISITE";
}
