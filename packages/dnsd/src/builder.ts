import { setImmediate as turn } from "node:timers/promises";
import type { Authority } from "./authority.ts";

/** Owners placed before the event loop turns: about a millisecond. */
const OWNERS_PER_TURN = 100;

/** Builds zones between two turns of the event loop. */
export interface Builder extends AsyncDisposable {
  /** Starts to build, unless a build is under way. */
  begin(): void;
}

export function createBuilder(
  authority: Pick<Authority, "advance" | "building">,
  onBuilt: (because: string, turns: number) => void,
): Builder {
  let running: Promise<void> | undefined;
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    let because: string | undefined;
    for (let turns = 1; because === undefined && !stopping.signal.aborted; turns++) {
      await turn();
      because = authority.advance(OWNERS_PER_TURN);
      if (because !== undefined) onBuilt(because, turns);
    }
    running = undefined;
  };
  return {
    begin: () => void (running ??= run()),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
