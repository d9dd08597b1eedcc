import type { Client } from "pg";

const EVERY_MS = 20;

/**
 * Samples `pg_stat_activity`: the share of active sessions that used the CPU (`cpu`), waited for the write-ahead log to reach the disk
 * (`walSync`), waited for a lock (`lock`), or waited for something else, and the share of each statement. No extension is
 * needed. Call the result to stop; it returns the shares in percent, and the MiB of write-ahead log.
 */
export async function sampleSessions(client: Client): Promise<() => Promise<Record<string, number>>> {
  const counts: Record<string, number> = {};
  const stopping = new AbortController();
  let samples = 0;
  const sampling = (async () => {
    while (!stopping.signal.aborted) {
      const { rows } = await client.query<{ type: string | null; event: string | null; query: string }>(
        `SELECT wait_event_type AS type, wait_event AS event, query FROM pg_stat_activity
         WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()`,
      );
      for (const { type, event, query } of rows) {
        samples++;
        count(counts, `at ${waitOf(type, event)} %`);
        count(counts, `in ${statementOf(query)} %`);
      }
      await new Promise((done) => setTimeout(done, EVERY_MS));
    }
  })();
  const before = await walBytes(client);
  return async () => {
    stopping.abort();
    await sampling;
    const after = await walBytes(client);
    const shares = Object.entries(counts).map(([name, times]) => [name, Math.round((100 * times) / samples)] as const);
    return { ...Object.fromEntries(shares.filter(([, share]) => share > 0)), walMiB: (after - before) / 2 ** 20 };
  };
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function waitOf(type: string | null, event: string | null): string {
  if (type === null) return "cpu";
  if (event === "WalSync" || event === "WALWrite" || event === "WalWrite") return "walSync";
  return type === "Lock" || type === "LWLock" ? "lock" : (event ?? type);
}

/** Our statements, each by a text that no other statement contains. */
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

async function walBytes(client: Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>("SELECT wal_bytes::text AS bytes FROM pg_stat_wal");
  return Number(rows[0]!.bytes);
}
