import {
  CANDIDACY_MS,
  type Sequencer,
  type SequencerOptions as Options,
  startSequencer as start,
} from "@firstlight/changefeed";
import { backoffMs } from "@firstlight/service";
import { clientOptions, type DatabaseOptions } from "../database/connections.ts";

export type { Sequencer } from "@firstlight/changefeed";

export type SequencerOptions = DatabaseOptions & Omit<Options, "connection" | "retryMs">;

/** The sequencer of the site's feed. It connects, and reconnects, by itself until it is disposed of. */
export function startSequencer(options: SequencerOptions): Sequencer {
  const { candidacyMs = CANDIDACY_MS } = options;
  return start({
    ...options,
    connection: () => clientOptions(options),
    retryMs: (attempt) => backoffMs(attempt, Math.random(), { baseMs: 100, maxMs: candidacyMs }),
  });
}
