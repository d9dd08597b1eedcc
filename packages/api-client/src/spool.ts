import { type Backoff, backoffMs } from "@firstlight/service";

/**
 * The rule of the spool, in counts alone: what waits, what is under way, when to try again. The events themselves are
 * the shell's (`reporter.ts`). One batch at a time keeps the order of every machine.
 */
export interface Spool {
  /** Reported events that are in no batch yet. */
  readonly waiting: number;
  /** Taken into a batch and not yet acknowledged: never dropped, since the API may have it already. */
  readonly held: number;
  /** How many at the head of the held ones are being sent; 0: nothing is under way. */
  readonly sending: number;
  /** Most to send at once: halved while the API refuses, so that one bad event costs only itself. */
  readonly portion: number;
  /** Failures in a row. */
  readonly failures: number;
  readonly retryAt: number;
}

export type SpoolEvent =
  | { readonly is: "told" }
  | { readonly is: "acknowledged" }
  | { readonly is: "away"; readonly jitter: number }
  | { readonly is: "refused" }
  | { readonly is: "tick" };

export type SpoolEffect =
  /** Forget the oldest waiting one: there is no room. */
  | { readonly do: "drop"; readonly because: "overflow" }
  /** Move this many from the waiting to the held ones. */
  | { readonly do: "hold"; readonly count: number }
  /** Send the first so many of the held ones. */
  | { readonly do: "send"; readonly count: number }
  /** The first so many of the held ones are stored. */
  | { readonly do: "release"; readonly count: number }
  /** The API will never take the first held one. */
  | { readonly do: "discard"; readonly because: "refused" };

export const SPOOL = { capacity: 10_000, batch: 256 } as const;

const RETRY: Backoff = { baseMs: 200, maxMs: 10_000 };

export const emptySpool: Spool = { waiting: 0, held: 0, sending: 0, portion: SPOOL.batch, failures: 0, retryAt: 0 };

/** What happens next. New events leave at the next `tick`, so that those of one moment share a batch. */
export function step(spool: Spool, event: SpoolEvent, now: number): [Spool, SpoolEffect[]] {
  switch (event.is) {
    case "told":
      if (spool.waiting + spool.held < SPOOL.capacity) return [{ ...spool, waiting: spool.waiting + 1 }, []];
      return [spool, [{ do: "drop", because: "overflow" }]]; // the oldest goes, the new one takes its place
    case "tick":
      return spool.sending > 0 || now < spool.retryAt ? [spool, []] : send(spool);
    case "acknowledged": {
      const { sending } = spool;
      const [next, effects] = send({
        ...spool,
        held: spool.held - sending,
        portion: Math.min(SPOOL.batch, spool.portion * 2),
        failures: 0,
      });
      return [next, [{ do: "release", count: sending }, ...effects]];
    }
    case "away": {
      const retryAt = now + backoffMs(spool.failures, event.jitter, RETRY);
      return [{ ...spool, sending: 0, failures: spool.failures + 1, retryAt }, []];
    }
    case "refused": {
      if (spool.sending > 1) return send({ ...spool, portion: Math.max(1, spool.sending >>> 1) });
      const [next, effects] = send({ ...spool, held: spool.held - 1, portion: 2, failures: 0 });
      return [next, [{ do: "discard", because: "refused" }, ...effects]];
    }
  }
}

function send(spool: Spool): [Spool, SpoolEffect[]] {
  const taken = spool.held === 0 ? Math.min(SPOOL.batch, spool.waiting) : 0;
  const held = spool.held + taken;
  const sending = Math.min(held, spool.portion);
  const next = { ...spool, waiting: spool.waiting - taken, held, sending, retryAt: 0 };
  const effects: SpoolEffect[] = [];
  if (taken > 0) effects.push({ do: "hold", count: taken });
  if (sending > 0) effects.push({ do: "send", count: sending });
  return [next, effects];
}
