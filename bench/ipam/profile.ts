import type { Client } from "pg";

const EVERY_MS = 20;

/**
 * What the database's sessions are at, by samples of `pg_stat_activity`: the share of working sessions that computed
 * (`cpu`), waited for the disk's word on a commit (`walSync`), for each other (`lock`), or for something else. With it,
 * where the time of the statements goes: no extension is needed for either.
 */
export async function profiled(client: Client): Promise<() => Promise<Record<string, number>>> {
  const seen: Record<string, number> = {};
  const over = new AbortController();
  let samples = 0;
  const sampling = (async () => {
    while (!over.signal.aborted) {
      const { rows } = await client.query<{ type: string | null; event: string | null; query: string }>(
        `SELECT wait_event_type AS type, wait_event AS event, query FROM pg_stat_activity
         WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()`,
      );
      for (const { type, event, query } of rows) {
        samples++;
        count(seen, `at ${placeOf(type, event)} %`);
        count(seen, `in ${statementOf(query)} %`);
      }
      await new Promise((done) => setTimeout(done, EVERY_MS));
    }
  })();
  const before = await wal(client);
  return async () => {
    over.abort();
    await sampling;
    const after = await wal(client);
    const shares = Object.entries(seen).map(([name, times]) => [name, Math.round((100 * times) / samples)] as const);
    return { ...Object.fromEntries(shares.filter(([, share]) => share > 0)), walMiB: (after - before) / 2 ** 20 };
  };
}

function count(seen: Record<string, number>, name: string): void {
  seen[name] = (seen[name] ?? 0) + 1;
}

function placeOf(type: string | null, event: string | null): string {
  if (type === null) return "cpu";
  if (event === "WalSync" || event === "WALWrite" || event === "WalWrite") return "walSync";
  return type === "Lock" || type === "LWLock" ? "lock" : (event ?? type);
}

/** Which of our statements it is, by a word that no other has. */
const STATEMENTS = [
  ["lockInterfaces", /FOR NO KEY UPDATE/],
  ["facts", /AS reserved_origin/],
  ["insertInterfaces", /INSERT INTO ipam\.interface/],
  ["bind", /INSERT INTO ipam\.lease/],
  ["note", /INSERT INTO ipam\.change_pending/],
  ["sequence", /DELETE FROM ipam\.change_pending/],
  ["begin", /^BEGIN; SELECT/],
  ["commit", /^COMMIT/],
] as const;

function statementOf(query: string): string {
  return STATEMENTS.find(([, pattern]) => pattern.test(query))?.[0] ?? "other";
}

async function wal(client: Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>("SELECT wal_bytes::text AS bytes FROM pg_stat_wal");
  return Number(rows[0]!.bytes);
}
