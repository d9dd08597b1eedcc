import type { Pool } from "pg";

const EVERY_MS = 1_000;

/** Whether the database answers: asked once a second, read from memory. */
export function databasePulse(pool: Pick<Pool, "query">): Disposable & { isThere(): boolean } {
  let isThere = true;
  let isAsking = false;
  const timer = setInterval(() => {
    if (isAsking) return;
    isAsking = true;
    pool
      .query("SELECT 1")
      .then(() => (isThere = true))
      .catch(() => (isThere = false))
      .finally(() => (isAsking = false));
  }, EVERY_MS).unref();
  return { isThere: () => isThere, [Symbol.dispose]: () => clearInterval(timer) };
}
