import type { Shared } from "@firstlight/service";
import type { Pool } from "pg";
import { findMachine, listMachines, type MachineRow } from "./rows.ts";
import { callRefused } from "../grpc/error.ts";

/** The channel on which API processes announce changed machines. */
export const CHANNEL = "machines";

/** The changes of machines, for a bounded number of readers. */
export interface Watch extends AsyncDisposable {
  /** Every machine now, then each that has changed, until the signal. Changes in quick succession are one. */
  follow(signal: AbortSignal): AsyncIterable<MachineRow>;
}

export interface WatchParts {
  readonly pool: Pool;
  readonly shared: Pick<Shared, "subscribe">;
  readonly maxWatchers: number;
  readonly count: (watchers: number) => void;
}

const PAGE = 500;

export async function createWatch({ pool, shared, maxWatchers, count }: WatchParts): Promise<Watch> {
  const watchers = new Set<Watcher>();
  const subscription = await shared.subscribe(CHANNEL, (id) => watchers.forEach((watcher) => watcher.mark(id)));
  return {
    async *follow(signal) {
      if (watchers.size >= maxWatchers) throw callRefused("watchers-limit", { most: String(maxWatchers) });
      const watcher = new Watcher(signal);
      watchers.add(watcher);
      count(watchers.size);
      try {
        yield* everything(pool, signal);
        for await (const id of watcher) {
          const machine = await findMachine(pool, id);
          if (machine) yield machine;
        }
      } finally {
        watchers.delete(watcher);
        count(watchers.size);
      }
    },
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  };
}

async function* everything(pool: Pool, signal: AbortSignal): AsyncGenerator<MachineRow> {
  for (let after = ""; !signal.aborted;) {
    const page = await listMachines(pool, { after, limit: PAGE });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.name;
  }
}

/** The machines that one reader has not seen yet, each at most once, so the set is bounded. */
class Watcher {
  private readonly changed = new Set<string>();
  private readonly signal: AbortSignal;
  private wake = Promise.withResolvers<void>();

  constructor(signal: AbortSignal) {
    this.signal = signal;
    signal.addEventListener("abort", () => this.wake.resolve(), { once: true });
  }

  mark(id: string): void {
    this.changed.add(id);
    this.wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    while (!this.signal.aborted) {
      const [id] = this.changed;
      if (id === undefined) {
        await this.wake.promise;
        this.wake = Promise.withResolvers();
        continue;
      }
      this.changed.delete(id);
      yield id;
    }
  }
}
