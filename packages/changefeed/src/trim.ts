import type pg from "pg";
import { TABLES } from "./place.ts";

/** Most rows of a table in one trim. It is due after half as many changes, so it keeps up with any intake, or after so many rounds. */
const TRIM_ROWS = 10_000;
const TRIM_EVERY = 512;

/**
 * Deletes what lies below a position, a bounded number of rows at a time, and returns up to where. Begins where the last
 * trim ended: what that one deleted may lie there as dead rows for long.
 */
const trim = (table: string): string => `
  WITH old AS (
    DELETE FROM ${table} WHERE position IN (
      SELECT position FROM ${table} WHERE position >= $1::bigint AND position < $2::bigint ORDER BY position LIMIT $3::int)
    RETURNING position
  )
  SELECT max(position) + 1 AS floor FROM old`;

const TRIM_LOG = trim(TABLES.log);
const TRIM_HEAD = trim(TABLES.head);
const HEAD = `SELECT position FROM ${TABLES.head} ORDER BY position DESC LIMIT 1`;

/** Keeps the log at `keep` changes. A reader that is further behind loads anew, so a dead reader holds nothing. */
export class Trim {
  readonly #client: pg.ClientBase;
  readonly #keep: number;
  /** Below these positions everything was trimmed. */
  #logFloor = 0;
  #headFloor = 0;
  #untrimmed = TRIM_ROWS;

  constructor(client: pg.ClientBase, keep: number) {
    this.#client = client;
    this.#keep = keep;
  }

  /** After each round of the sequencer, with the number of its changes. */
  async after(count: number): Promise<void> {
    this.#untrimmed += Math.max(count, TRIM_ROWS / TRIM_EVERY);
    if (this.#untrimmed < TRIM_ROWS / 2) return;
    const { rows } = await this.#client.query<{ position: number }>(HEAD);
    const { position } = rows[0]!;
    this.#logFloor = await this.#delete(TRIM_LOG, this.#logFloor, position - this.#keep + 1);
    this.#headFloor = await this.#delete(TRIM_HEAD, this.#headFloor, position);
    this.#untrimmed = 0;
  }

  async #delete(text: string, floor: number, below: number): Promise<number> {
    const { rows } = await this.#client.query<{ floor: number | null }>(text, [floor, below, TRIM_ROWS]);
    return rows[0]?.floor ?? floor;
  }
}
