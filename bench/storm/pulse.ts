import { monitorEventLoopDelay } from "node:perf_hooks";
import { cpuSeconds } from "../harness/proc.ts";
import { socketDrops } from "./kernel.ts";
import type { Watch } from "./watch.ts";

const EVERY_MS = 10_000;
const LOAD = "load";

export interface Spent {
  /** Seconds of CPU by process since the storm began; the load is this process. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Longest turn of the load's event loop, milliseconds. */
  readonly loadTurnMs: number;
  /** Datagrams that the kernel dropped at a socket, both sides. */
  readonly socketDrops: number;
}

/** Says every few seconds how far the storm is and who uses the two cores; at the end, what it all cost. */
export class Pulse implements Disposable {
  readonly #pids: Readonly<Record<string, number>>;
  readonly #watch: Watch;
  readonly #beganAt = performance.now();
  readonly #before: Readonly<Record<string, number>>;
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  readonly #timer: NodeJS.Timeout;
  readonly #dropsBefore = total(socketDrops());
  #last: Readonly<Record<string, number>>;
  #lastAt = performance.now();
  #longestMs = 0;

  constructor(pids: Readonly<Record<string, number>>, watch: Watch) {
    this.#pids = { ...pids, [LOAD]: process.pid };
    this.#watch = watch;
    this.#before = this.#cpu();
    this.#last = this.#before;
    this.#delay.enable();
    this.#timer = setInterval(() => this.#say(), EVERY_MS).unref();
  }

  spent(): Spent {
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

  #say(): void {
    const [now, at] = [this.#cpu(), performance.now()];
    const shares = Object.entries(now).map(([name, seconds]) => {
      const share = (100 * (seconds - this.#last[name]!)) / ((at - this.#lastAt) / 1000);
      return `${name} ${share.toFixed(0)}`;
    });
    const turnMs = this.#delay.max / 1e6;
    this.#longestMs = Math.max(this.#longestMs, turnMs);
    this.#delay.reset();
    [this.#last, this.#lastAt] = [now, at];
    const watch = this.#watch;
    const so = `${watch.count("dhcp.bound")} ACKs, ${watch.count("dns.resolved")} names, ${watch.count("ipxe.script")} scripts`;
    const waits = `${watch.count("dhcp.note")} notes, ${total(socketDrops()) - this.#dropsBefore} dropped at sockets`;
    const seconds = ((at - this.#beganAt) / 1000).toFixed(0);
    console.log(
      `  ${seconds} s: ${so}; ${waits}; load's longest turn ${turnMs.toFixed(0)} ms; % of a core: ${shares.join(", ")}`,
    );
  }
}

/** The load is one process; a server counts with what it has started. */
function cpuOf(name: string, pid: number): number {
  if (name !== LOAD) return cpuSeconds([pid]);
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const total = (drops: ReadonlyMap<number, number>): number => drops.values().reduce((sum, count) => sum + count, 0);
