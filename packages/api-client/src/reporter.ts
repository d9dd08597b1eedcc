import { randomUUID } from "node:crypto";
import type { Context } from "@firstlight/service";
import type { Api, BootEvent, Reporter } from "./api.ts";
import type { SpoolFile } from "./spool-file.ts";
import { isRefusal } from "./client.ts";
import { withinLimits } from "./event.ts";
import { Queue } from "./queue.ts";
import { createSpoolMetrics } from "./metrics.ts";
import { traceEvent } from "./span.ts";
import { emptySpool, type SpoolEffect, type SpoolEvent, step } from "./spool.ts";

/** New events wait this long to share a batch. */
const GATHER_MS = 20;

export interface ReporterParts extends Pick<Context<unknown>, "clock" | "log" | "metrics" | "traces"> {
  readonly api: Pick<Api, "report">;
  readonly spoolFile: SpoolFile;
}

/** The spool at work. Disposing writes what is left to the spool file, from where the next start goes on. */
export async function createReporter({
  api,
  clock,
  log,
  metrics,
  traces,
  spoolFile,
}: ReporterParts): Promise<Reporter & AsyncDisposable> {
  const waiting = new Queue<BootEvent>();
  let held: BootEvent[] = [];
  let spool = emptySpool;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let isStored = false;
  let clearing: Promise<void> | undefined;
  const watchers = new Set<() => void>();
  const left = (): number => waiting.length + held.length;
  const count = createSpoolMetrics(metrics, {
    left,
    lagMs: () => (left() === 0 ? 0 : clock.now() - (held[0] ?? waiting.first)!.at),
  });

  function feed(event: SpoolEvent): void {
    const [next, effects] = step(spool, event, clock.now());
    spool = next;
    for (const effect of effects) perform(effect);
    if (spool.sending === 0 && left() > 0) wake(Math.max(GATHER_MS, spool.retryAt - clock.now()));
    if (left() === 0) settle();
  }

  function perform(effect: SpoolEffect): void {
    switch (effect.do) {
      case "drop":
        waiting.take(1);
        return count.dropped(effect.because);
      case "hold":
        held = [...held, ...waiting.take(effect.count)];
        return;
      case "send":
        return void deliver(held.slice(0, effect.count));
      case "release":
        count.sent(effect.count);
        held = held.slice(effect.count);
        return;
      case "discard":
        log.warn({ event: held[0], because: effect.because }, "event discarded");
        held = held.slice(1);
        return count.dropped(effect.because);
    }
  }

  async function deliver(batch: readonly BootEvent[]): Promise<void> {
    const outcome: SpoolEvent = await api.report(batch).then(
      () => ({ is: "acknowledged" }) as const,
      (error: unknown) => {
        log.debug({ error, events: batch.length }, "events not sent");
        return isRefusal(error) ? ({ is: "refused" } as const) : ({ is: "away", jitter: Math.random() } as const);
      },
    );
    if (!isClosed) feed(outcome);
    else if (outcome.is === "acknowledged") held = held.slice(batch.length);
  }

  function wake(inMs: number): void {
    if (isClosed) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      feed({ is: "tick" });
    }, inMs).unref();
  }

  /** Everything is acknowledged: what an earlier run left behind is too. */
  function settle(): void {
    for (const done of watchers) done();
    if (isStored)
      clearing = spoolFile.save([]).catch((error: unknown) => log.warn({ error }, "the event spool file stays"));
    isStored = false;
  }

  function enter(event: BootEvent): void {
    waiting.push(event);
    feed({ is: "told" });
  }

  const kept = await spoolFile.load().catch((error: unknown) => {
    log.warn({ error }, "the event spool file cannot be read");
    return [];
  });
  isStored = kept.length > 0;
  for (const event of kept) enter(event);

  return {
    report(event) {
      if (isClosed) return count.dropped("stopped");
      const whole = withinLimits({ id: randomUUID(), at: clock.now(), ...event });
      traceEvent(traces, whole);
      enter(whole);
    },
    async flush(timeoutMs) {
      if (left() > 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const limit = setTimeout(resolve, timeoutMs);
        watchers.add(resolve);
        feed({ is: "tick" });
        await promise;
        watchers.delete(resolve);
        clearTimeout(limit);
      }
      return left();
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      clearTimeout(timer);
      await clearing;
      const rest = [...held, ...waiting];
      if (rest.length > 0 || isStored) await spoolFile.save(rest);
    },
  };
}
