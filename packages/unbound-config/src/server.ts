import { setTimeout as delay } from "node:timers/promises";
import { affectedBy, type Followed } from "@firstlight/ipam";
import {
  type Backoff,
  backoffMs,
  type Clock,
  describeReason,
  type DescribedReason,
  type Readiness,
} from "@firstlight/service";
import type { Placed } from "./apply.ts";
import type { FlushQueue } from "./flush-queue.ts";
import { type Answer, type Control, ControlAway } from "./control.ts";
import { flushesOf, flushesOfZones } from "./flush.ts";
import type { Metrics } from "./metrics.ts";
import { DnsdAway } from "./probe.ts";
import { type Reason, REASONS } from "./reasons.ts";
import { reload } from "./reload.ts";
import { type SiteView, viewOf, zoneNames } from "./view.ts";
import type { UnboundConfigReplica } from "./holding.ts";

export interface Parts {
  readonly clock: Clock;
  readonly log: {
    debug(fields: object, message: string): void;
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  readonly replica: UnboundConfigReplica;
  readonly metrics: Metrics;
  readonly flushQueue: FlushQueue;
  readonly control: Control;
  /** After this time without a command, unbound is sent `status`. */
  readonly statusMs: number;
  readonly render: (view: SiteView) => string;
  readonly place: (text: string) => Promise<Placed>;
  /** Whether a dnsd answers for this zone now. */
  readonly isServed: (zone: string) => Promise<boolean>;
}

const BACKOFF: Backoff = { baseMs: 100, maxMs: 5000 };
const LONGEST_MS = 3_600_000;

/** The loop: a changed site is written and reloaded, a changed name is flushed, and what fails is tried again. */
export class Server {
  readonly #parts: Parts;
  readonly #stopping = new AbortController();
  #news = Promise.withResolvers<void>();
  #view: SiteView | undefined;
  /** Domains, segments or prefixes are not those of the file, or not known to be. */
  #mustPlace = false;
  /** unbound has not read the file since it changed, or since we started. */
  #mustReload = true;
  /** Whether a configuration of ours is in place. */
  #isPlaced = false;
  /** Why the file does not have the site's present state. */
  #refused: DescribedReason<Reason> | undefined;
  #away: DescribedReason<Reason> | undefined;
  #fault: DescribedReason<Reason> | undefined;
  #attempt = 0;
  /** When unbound last answered; never, once it has failed to. */
  #heardAt = -Infinity;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Marks the configuration as outdated: it must be rendered from the replica's present state. */
  reshaped(): void {
    this.#mustPlace = true;
    this.#news.resolve();
  }

  /** Takes a batch of the feed. */
  heard(event: Followed): void {
    const { replica, flushQueue, clock } = this.#parts;
    if (event.is === "reload") return this.reshaped();
    const affected = affectedBy(replica, event.changes);
    if (affected.is === "zones") return this.reshaped();
    flushQueue.add(flushesOf(affected, event.changes), () => this.#zones(), clock.now());
    if (flushQueue.pending > 0) this.#news.resolve();
  }

  /** One round: does everything that is due. What fails stays due. */
  async round(): Promise<void> {
    try {
      if (this.#mustPlace) await this.#place();
      if (!this.#isPlaced) return;
      if (this.#mustReload) await this.#reload();
      if (this.#parts.clock.now() >= this.#heardAt + this.#parts.statusMs) await this.#send("status");
      await this.#flush();
      if (this.#away !== undefined) this.#parts.log.info({}, "unbound is up to date again");
      this.#away = undefined;
      this.#fault = undefined;
      this.#attempt = 0;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Rounds until it is stopped. */
  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#pause();
      this.#news = Promise.withResolvers();
      if (!signal.aborted) await this.round();
    }
  }

  stop(): void {
    this.#stopping.abort();
    this.#news.resolve();
  }

  ready(ipam: Readiness): Readiness {
    if (!this.#isPlaced) {
      return { ...describeReason(REASONS, "nothing-placed"), ...ipam, ...this.#fault, ...this.#refused, ready: false };
    }
    return { ...ipam, ...this.#away, ...this.#fault, ...this.#refused, ready: true };
  }

  async #place(): Promise<void> {
    const { replica, render, place, metrics, log } = this.#parts;
    this.#mustPlace = false;
    const view = viewOf(replica);
    if (view.left.length > 0) log.warn({ zones: view.left }, "zones left out: their names need escapes");
    const placed = await place(render(view)).catch((error: unknown) => {
      this.#mustPlace = true;
      metrics.configuration("failed");
      throw error;
    });
    metrics.configuration(placed.is);
    if (placed.is === "refused") {
      const { because, fault } = placed;
      this.#refused = describeReason(REASONS, "configuration-refused", { fault });
      return log.warn({ because, fault }, "configuration refused");
    }
    const before = this.#zones();
    this.#view = view;
    this.#isPlaced = true;
    this.#refused = undefined;
    this.#forgetZones(before); // also when the file is the same: names may have changed while nobody looked
    if (placed.is === "same") return;
    this.#mustReload = true;
    log.info(
      { zones: this.#zones().length, networks: view.networks.length, ...placed.checked },
      "configuration placed",
    );
  }

  async #reload(): Promise<void> {
    const answer = await reload((command) => this.#send(command));
    if (answer.is === "refused") throw new Error(`unbound does not reload: ${answer.fault}`);
    this.#mustReload = false;
    this.#parts.log.info({}, "unbound reads its configuration anew");
  }

  /** A flushed name is gone from unbound, serve-expired or not: while nobody could answer in its place it stays. */
  async #flush(): Promise<void> {
    const { flushQueue, clock, log, isServed } = this.#parts;
    const zone = this.#zones()[0];
    if (flushQueue.dueAt > clock.now() || zone === undefined) return;
    if (!(await isServed(zone))) throw new DnsdAway(REASONS["dnsd-away"].sentence);
    for (let flush = flushQueue.take(clock.now()); flush !== undefined; flush = flushQueue.take(clock.now())) {
      if (this.#stopping.signal.aborted) return;
      const asked = flush;
      const answer = await this.#send(asked).catch((error: unknown) => {
        flushQueue.retry(asked);
        throw error;
      });
      if (answer.is === "refused")
        log.warn({ command: asked, because: answer.because, fault: answer.fault }, "unbound refused a flush");
    }
  }

  async #send(command: string): Promise<Answer> {
    const { control, metrics } = this.#parts;
    const name = command.split(" ", 1)[0]!;
    try {
      const answer = await control(command);
      metrics.command(name, answer.is);
      this.#heardAt = this.#parts.clock.now();
      return answer;
    } catch (error) {
      metrics.command(name, "away");
      this.#heardAt = -Infinity;
      throw error;
    }
  }

  #failed(error: unknown): void {
    const { log } = this.#parts;
    this.#attempt++;
    if (!(error instanceof ControlAway || error instanceof DnsdAway)) {
      this.#fault = describeReason(REASONS, "configuration-not-applied", { fault: (error as Error).message });
      return log.warn({ err: error }, "configuration not applied");
    }
    const because: Reason = error instanceof DnsdAway ? "dnsd-away" : "unbound-away";
    if (this.#away === undefined)
      log.info({ because, fault: error.message }, "unbound cannot be brought up to date yet");
    this.#away = { because, detail: error.message };
  }

  #forgetZones(before: readonly string[]): void {
    const { flushQueue, clock } = this.#parts;
    const zones = [...new Set([...before, ...this.#zones()])];
    flushQueue.add(flushesOfZones(zones), () => zones, clock.now());
  }

  #zones(): string[] {
    return this.#view === undefined ? [] : zoneNames(this.#view);
  }

  /** Waits for a change, a due flush or a due `status`; after a failure, until the next attempt. */
  async #pause(): Promise<void> {
    const { flushQueue, clock, statusMs } = this.#parts;
    if (this.#attempt > 0) return this.#sleep(backoffMs(this.#attempt - 1, Math.random(), BACKOFF));
    const waking = new AbortController();
    const statusAt = this.#isPlaced ? Math.max(this.#heardAt + statusMs, 0) : Infinity;
    const ms = Math.min(Math.max(Math.min(flushQueue.dueAt, statusAt) - clock.now(), 0), LONGEST_MS);
    await Promise.race([this.#news.promise, this.#sleep(ms, waking.signal)]);
    waking.abort();
  }

  async #sleep(ms: number, waking?: AbortSignal): Promise<void> {
    const signals = waking === undefined ? [] : [waking];
    const signal = AbortSignal.any([this.#stopping.signal, ...signals]);
    await delay(ms, undefined, { signal }).catch(() => undefined);
  }
}
