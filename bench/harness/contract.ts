/**
 * What a bench is made of. A bench names contenders; the harness runs them interleaved, each alone on its core with the
 * load on the other, for several rounds, and makes medians, spreads and ratios of what they say.
 */

/** Peers by the names that results and ratios carry. */
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

/** A server under load, ours or a peer. Its database counts with it: same core, same CPU time, same memory. */
export interface Contender {
  readonly name: string;
  /** Set for those that ours is compared with. */
  readonly peer?: Peer;
  /** Debian packages it needs; installed by name before the first round. */
  readonly packages: readonly string[];
  /** Starts it anew, pinned to `core`, and resolves once it answers. */
  start(place: Place): Promise<Serving>;
}

export interface Place {
  /** A folder of its own, empty; removed afterwards. */
  readonly folder: string;
  /** The core of the contender; the load runs on the other one. */
  readonly core: number;
  readonly loadCore: number;
  /** Where daemons of ours leave their CPU profiles, each in a folder of its name; absent: none are taken. */
  readonly profiles?: string;
}

export interface Serving extends AsyncDisposable {
  /** Every process that works for it, its database's included: their CPU time and memory are read before and after a load. */
  pids(): readonly number[];
  /** What they have used, where their own processes do not tell: their children end without being waited for. */
  cpuSeconds?(): number;
}

/** One run of the load against one contender. */
export interface Sample {
  /** Operations answered correctly. */
  readonly operations: number;
  /** Seconds they took, as the load generator measured. */
  readonly seconds: number;
  /** Operations that were asked and not answered, or answered wrong. */
  readonly failed: number;
  /**
   * Anything else worth printing: latency percentiles in ms, bytes per second. A load that first looks for its rate says
   * in `cpuSeconds` what the contender used while it counted; else the whole load counts.
   */
  readonly extra?: Readonly<Record<string, number>>;
}

export interface Bench {
  readonly name: "dhcp" | "dns" | "tftp" | "http" | "storm" | "api" | "ipam";
  /** What one operation is, for the page: "DISCOVER to ACK, on disk". */
  readonly operation: string;
  readonly rounds: number;
  /** A load that leaves the contender another than it found it: not run again because others used the machine. */
  readonly isOnce?: true;
  /** Variants that are measured apart, "blksize 1468" or "windowsize 16"; one unnamed when absent. */
  readonly variants?: readonly string[];
  /** Debian packages of the load generator. */
  readonly packages: readonly string[];
  readonly contenders: readonly Contender[];
  load(serving: Serving, contender: Contender, place: Place, variant: string | undefined): Promise<Sample>;
}

/** Median over the rounds, and how far the rounds lay apart: (max − min) / median. */
export interface Result {
  /** Operations a second. */
  readonly median: number;
  readonly spread: number;
  /** Microseconds of user and system time per operation, all processes of the contender together. */
  readonly cpuPerOp: number;
  /** Largest resident memory of all its processes together, in bytes. */
  readonly rssBytes: number;
  readonly failed: number;
  readonly extra?: Readonly<Record<string, number>>;
}

/** The object that `--json` prints alone on the last line. Ratio = ours / peer: above 1 is ahead. */
export interface Report {
  readonly bench: Bench["name"];
  readonly machine: Readonly<Record<string, string | number>>;
  readonly rounds: number;
  /** Share of one core that others used meanwhile, of the result that suffered most; above 0.3 a run is repeated, then marked. */
  readonly foreignCpu: number;
  readonly isMarked: boolean;
  readonly results: Readonly<Record<string, Result>>;
  /** By peer; where there are variants also by peer and variant, `tftpd-hpa windowsize 16`, and the peer has the least. */
  readonly ratios: Readonly<Record<string, number>>;
  /** The peer's CPU time per operation over ours, named alike: above 1 is ahead. Steadier than rates on a busy machine. */
  readonly cpuRatios: Readonly<Record<string, number>>;
}
