import { backoffMs } from "@firstlight/service";

/** One supervised daemon, from the policy's side. Times in milliseconds. */
export interface Child {
  readonly is: "idle" | "starting" | "serving" | "resting" | "stopping" | "gone" | "given-up";
  /** The times of its recent unexpected exits. */
  readonly deaths: readonly number[];
  /** When to check it again. */
  readonly wakeAt: number;
}

export type Event =
  | { readonly is: "start" }
  | { readonly is: "ready" }
  | { readonly is: "exit"; readonly code: number | null; readonly signal: string | null }
  | { readonly is: "tick" }
  | { readonly is: "stop" };

export type Effect =
  | { readonly do: "spawn" }
  | { readonly do: "kill"; readonly signal: "SIGTERM" | "SIGKILL" }
  | { readonly do: "rest"; readonly because: string; readonly ms: number }
  | { readonly do: "give-up"; readonly because: string };

export const IDLE: Child = { is: "idle", deaths: [], wakeAt: Number.POSITIVE_INFINITY };

export const READY_MS = 60_000;
/** Longer than any daemon may drain. */
export const STOP_MS = 50_000;
export const DEATHS = 5;
export const WINDOW_MS = 60_000;

const BACKOFF = { baseMs: 200, maxMs: 10_000 };
const NEVER = Number.POSITIVE_INFINITY;
const EXIT_CONFIG = 2;

/** The restart policy: a daemon that exits is restarted after a growing delay; one that exits too often is given up. */
export function step(child: Child, event: Event, now: number, jitter: number): [Child, Effect[]] {
  switch (event.is) {
    case "start":
      return child.is === "idle" ? spawned(child, now) : [child, []];
    case "ready":
      return child.is === "starting" ? [{ ...child, is: "serving", wakeAt: NEVER }, []] : [child, []];
    case "exit":
      return exited(child, event, now, jitter);
    case "tick":
      return now < child.wakeAt ? [child, []] : due(child, now);
    case "stop":
      return stopping(child, now);
  }
}

const spawned = (child: Child, now: number): [Child, Effect[]] => [
  { ...child, is: "starting", wakeAt: now + READY_MS },
  [{ do: "spawn" }],
];

function exited(
  child: Child,
  { code, signal }: { code: number | null; signal: string | null },
  now: number,
  jitter: number,
): [Child, Effect[]] {
  if (child.is === "stopping") return [{ ...child, is: "gone", wakeAt: NEVER }, []];
  if (child.is !== "starting" && child.is !== "serving") return [child, []];
  const deaths = [...child.deaths.filter((at) => now - at < WINDOW_MS), now];
  const how = signal === null ? `exit code ${code}` : signal;
  if (code === EXIT_CONFIG) return givenUp(child, deaths, "it cannot run as it is configured");
  if (deaths.length >= DEATHS)
    return givenUp(child, deaths, `it died ${deaths.length} times within ${WINDOW_MS / 1000} s, last with ${how}`);
  const ms = backoffMs(deaths.length - 1, jitter, BACKOFF);
  return [{ is: "resting", deaths, wakeAt: now + ms }, [{ do: "rest", because: `died with ${how}`, ms }]];
}

const givenUp = (child: Child, deaths: readonly number[], because: string): [Child, Effect[]] => [
  { ...child, is: "given-up", deaths, wakeAt: NEVER },
  [{ do: "give-up", because }],
];

/** A time limit has passed: of a delay, a start or a stop. */
function due(child: Child, now: number): [Child, Effect[]] {
  switch (child.is) {
    case "resting":
      return spawned(child, now);
    case "starting":
    case "stopping":
      return [{ ...child, wakeAt: NEVER }, [{ do: "kill", signal: "SIGKILL" }]]; // its exit is the next event
    default:
      return [{ ...child, wakeAt: NEVER }, []];
  }
}

function stopping(child: Child, now: number): [Child, Effect[]] {
  switch (child.is) {
    case "starting":
    case "serving":
      return [{ ...child, is: "stopping", wakeAt: now + STOP_MS }, [{ do: "kill", signal: "SIGTERM" }]];
    case "idle":
    case "resting":
      return [{ ...child, is: "gone", wakeAt: NEVER }, []];
    default:
      return [child, []];
  }
}
