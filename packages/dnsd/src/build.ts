import { setImmediate as turn } from "node:timers/promises";
import type { Authority } from "./authority.ts";

/** Names built before everybody else has a turn: about a millisecond. */
const NAMES_A_TURN = 100;

/** Builds zones between answers. */
export interface Builder extends AsyncDisposable {
  /** There is something to build. */
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
      because = authority.advance(NAMES_A_TURN);
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
