/** A failure of the source that its readers report by its own message, because an operator can act on it. */
export class SourceFault extends Error {}

/** Positions never go back: a feed behind its reader was restored, and its sequencer has not begun a new epoch yet. */
export class RolledBack extends SourceFault {
  readonly code = "FL_ROLLED_BACK";

  constructor(seen: number, feed: number) {
    super(`database was restored to position ${feed}, before ${seen}: waiting for its sequencer to begin a new epoch`);
  }
}
