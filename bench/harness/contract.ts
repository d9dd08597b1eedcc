/**
 * The types of a bench. A bench lists contenders. The harness runs them interleaved for several rounds, each alone on its core
 * with the load on the other, and computes medians, spreads and ratios of their samples.
 */

/** Peers, by their names in results and ratios. */
export type Peer =
  | "kea-memfile"
  | "kea-postgresql"
  | "dnsmasq"
  | "isc-dhcpd"
  | "nsd"
  | "knot"
  | "bind"
  | "pdns"
  | "tftpd-hpa"
  | "atftpd"
  | "nginx";

/** A server under load, ours or a peer. Its database counts as part of it: same core, its CPU time and memory are added. */
export interface Contender {
  readonly name: string;
  /** The peer's name; absent for ours. */
  readonly peer?: Peer;
  /** Debian packages it needs; installed by name before the first round. */
  readonly packages: readonly string[];
  /** Starts a new process of it on `core`. Resolves once it answers. */
  start(placement: Placement): Promise<RunningServer>;
}

/** Where a contender and its load run. */
export interface Placement {
  /** An empty folder for this contender; removed afterwards. */
  readonly folder: string;
  /** The core of the contender; the load runs on `loadCore`. */
  readonly core: number;
  readonly loadCore: number;
  /** Folder where our daemons write CPU profiles, each in a folder of its name; absent: no profiles. */
  readonly profiles?: string;
}

/** A started contender. */
export interface RunningServer extends AsyncDisposable {
  /** Process ids of the server and its database. The harness reads their CPU time and memory before and after a load. */
  pids(): readonly number[];
  /** CPU time in seconds, where the processes' own counters miss children that ended without being waited for. */
  cpuSeconds?(): number;
}

/** One run of the load against one contender. */
export interface Sample {
  /** Operations answered correctly. */
  readonly operations: number;
  /** Seconds they took, as the load generator measured. */
  readonly seconds: number;
  /** Operations without an answer, or with a wrong one. */
  readonly failed: number;
  /**
   * Further figures to print: latency percentiles in ms, bytes per second. A load that first searches for its rate gives in
   * `cpuSeconds` the contender's CPU time of the counted part; without it the whole load counts.
   */
  readonly extra?: Readonly<Record<string, number>>;
}

export interface Bench {
  readonly name: "dhcp" | "dns" | "tftp" | "http" | "storm" | "api" | "ipam";
  /** What one operation is, as text: `DISCOVER to ACK, on disk`. */
  readonly operation: string;
  readonly rounds: number;
  /** The load changes the contender for good, so it is not repeated when other processes used the machine. */
  readonly isOnce?: true;
  /** Variants that are measured separately: `blksize 1468`, `windowsize 16`. Absent: one variant without a name. */
  readonly variants?: readonly string[];
  /** Debian packages of the load generator. */
  readonly packages: readonly string[];
  readonly contenders: readonly Contender[];
  /** Runs the load once and returns what it measured. */
  load(server: RunningServer, contender: Contender, placement: Placement, variant: string | undefined): Promise<Sample>;
}

/** One contender's result over all rounds. */
export interface Result {
  /** Operations per second, median over the rounds. */
  readonly median: number;
  /** How far the rounds differ: (max − min) / median. */
  readonly spread: number;
  /** Microseconds of user and system time per operation, of all processes of the contender. */
  readonly cpuPerOp: number;
  /** Largest memory (PSS) of all its processes together, in bytes. */
  readonly rssBytes: number;
  readonly failed: number;
  readonly extra?: Readonly<Record<string, number>>;
}

/** The report of a bench. `--json` prints it as the last line. A ratio is ours / peer: above 1, ours is faster. */
export interface Report {
  readonly bench: Bench["name"];
  readonly machine: Readonly<Record<string, string | number>>;
  readonly rounds: number;
  /** Share of one core that other processes used during the load, for the result with the highest share. Above 0.3 a run is repeated, then marked. */
  readonly foreignCpu: number;
  readonly isMarked: boolean;
  readonly results: Readonly<Record<string, Result>>;
  /** By peer. With variants also by peer and variant (`tftpd-hpa windowsize 16`); the peer then has the lowest of these. */
  readonly ratios: Readonly<Record<string, number>>;
  /** CPU time per operation, peer / ours, with the same keys: above 1, ours needs less. Steadier than rates on a busy machine. */
  readonly cpuRatios: Readonly<Record<string, number>>;
}
