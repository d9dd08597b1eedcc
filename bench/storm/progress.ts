import { monitorEventLoopDelay } from "node:perf_hooks";
import { cpuSeconds } from "../harness/proc.ts";
import { socketDrops } from "./socket-drops.ts";
import type { StepLog } from "./steps.ts";

const EVERY_MS = 10_000;
const LOAD = "load";

/** What the storm has used so far. */
export interface ResourceUse {
  /** CPU time in seconds by process since the storm began; `load` is this process. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Longest turn of the load's event loop, in milliseconds. */
  readonly loadTurnMs: number;
  /** Datagrams that the kernel dropped at sockets of load and servers. */
  readonly socketDrops: number;
}

/** Prints every ten seconds how far the storm is and which processes use the cores. `used` has the totals. */
export class ProgressMonitor implements Disposable {
  readonly #pids: Readonly<Record<string, number>>;
  readonly #steps: StepLog;
  readonly #beganAt = performance.now();
  readonly #before: Readonly<Record<string, number>>;
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  readonly #timer: NodeJS.Timeout;
  readonly #dropsBefore = total(socketDrops());
  #last: Readonly<Record<string, number>>;
  #lastAt = performance.now();
  #longestMs = 0;

  constructor(pids: Readonly<Record<string, number>>, steps: StepLog) {
    this.#pids = { ...pids, [LOAD]: process.pid };
    this.#steps = steps;
    this.#before = this.#cpu();
    this.#last = this.#before;
    this.#delay.enable();
    this.#timer = setInterval(() => this.#print(), EVERY_MS).unref();
  }

  /** Totals since construction. */
  used(): ResourceUse {
    const now = this.#cpu();
    this.#longestMs = Math.max(this.#longestMs, this.#delay.max / 1e6);
    return {
      cpu: Object.fromEntries(Object.entries(now).map(([name, seconds]) => [name, seconds - this.#before[name]!])),
      loadTurnMs: this.#longestMs,
      socketDrops: total(socketDrops()) - this.#dropsBefore,
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #cpu(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.#pids).map(([name, pid]) => [name, cpuOf(name, pid)]));
  }

  #print(): void {
    const [now, at] = [this.#cpu(), performance.now()];
    const shares = Object.entries(now).map(([name, seconds]) => {
      const share = (100 * (seconds - this.#last[name]!)) / ((at - this.#lastAt) / 1000);
      return `${name} ${share.toFixed(0)}`;
    });
    const turnMs = this.#delay.max / 1e6;
    this.#longestMs = Math.max(this.#longestMs, turnMs);
    this.#delay.reset();
    [this.#last, this.#lastAt] = [now, at];
    const steps = this.#steps;
    const milestones = `${steps.count("dhcp.bound")} ACKs, ${steps.count("dns.resolved")} names, ${steps.count("ipxe.script")} scripts`;
    const losses = `${steps.count("dhcp.note")} notes, ${total(socketDrops()) - this.#dropsBefore} dropped at sockets`;
    const seconds = ((at - this.#beganAt) / 1000).toFixed(0);
    console.log(
      `  ${seconds} s: ${milestones}; ${losses}; load's longest turn ${turnMs.toFixed(0)} ms; % of a core: ${shares.join(", ")}`,
    );
  }
}

/** CPU time of a server includes its child processes; the load is this process only. */
function cpuOf(name: string, pid: number): number {
  if (name !== LOAD) return cpuSeconds([pid]);
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const total = (drops: ReadonlyMap<number, number>): number => drops.values().reduce((sum, count) => sum + count, 0);
