import type { Readable } from "node:stream";
import { TimedOut, withTimeout } from "@firstlight/service";
import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { to } from "pg-copy-streams";
import { TABLES } from "../database/rows.ts";
import { type Bulk, COLUMNS, UNREAD } from "../tuples/columns.ts";
import { END, Tuple } from "../tuples/tuple.ts";
import { Tuples } from "../tuples/tuples.ts";

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
const HEADER_BYTES = SIGNATURE.length + 8;
/** Bytes of one batch: enough to make a turn of the event loop worthwhile, few enough to stay in the processor's cache. */
const BATCH_BYTES = 256 * 1024;
/** If the database sends nothing for this time, it counts as lost. */
const SILENT_MS = 10_000;
/** The longest copy of one table. A million leases take two seconds. */
const COPY_MS = 120_000;

/** Every row of a table as the connection's transaction sees it, in PostgreSQL's binary form. */
export async function* copyTable(client: Client, kind: Bulk): AsyncGenerator<Tuples> {
  await withTimeout(SILENT_MS, client.query(`SET LOCAL statement_timeout = ${COPY_MS}`));
  const columns = await withTimeout(SILENT_MS, columnsOf(client, kind));
  const counted = client.query<{ total: number }>(`SELECT count(*) AS total FROM ${TABLES[kind]}`);
  const { rows } = await withTimeout(COPY_MS, counted);
  const copy = client.query(to(`COPY (SELECT ${columns} FROM ${TABLES[kind]} t) TO STDOUT (FORMAT binary)`));
  for await (const bytes of wholeTuples(withSilenceLimit(copy, SILENT_MS)))
    yield new Tuples(kind, bytes, rows[0]!.total);
}

/** The stream's chunks. Rejects if the reader has waited for a chunk for `silentMs`. */
export async function* withSilenceLimit(stream: Readable, silentMs: number): AsyncGenerator<Uint8Array> {
  stream.on("error", () => {}); // an error after the reader has stopped is of no interest
  const onSilence = (): void => void stream.destroy(new TimedOut(`the database sent nothing for ${silentMs} ms`));
  let silence = setTimeout(onSilence, silentMs);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      clearTimeout(silence);
      yield chunk;
      silence = setTimeout(onSilence, silentMs);
    }
  } finally {
    clearTimeout(silence);
  }
}

/**
 * The select list of a tuple, in the order of `COLUMNS`. The table may be of another release than this process: a column that
 * the table lacks is NULL, and a column that this release does not know goes into `more`.
 */
async function columnsOf(client: Client, kind: Bulk): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [TABLES[kind]],
  );
  const present = new Set(rows.map(({ name }) => name));
  const unknown = [...present].filter((name) => !(name in COLUMNS[kind]) && !UNREAD[kind].includes(name));
  return Object.entries(COLUMNS[kind])
    .map(([name, type]) =>
      name === "more" ? moreOf(unknown) : present.has(name) ? escapeIdentifier(name) : `NULL::${type}`,
    )
    .join(", ");
}

function moreOf(columns: readonly string[]): string {
  if (columns.length === 0) return "NULL::text";
  const pairs = columns.map((name) => `${escapeLiteral(name)}, t.${escapeIdentifier(name)}`).join(", ");
  return `nullif(jsonb_strip_nulls(jsonb_build_object(${pairs})), '{}')::text`;
}

/** The chunks of a COPY as whole tuples, in one reused buffer: without header and trailer, and with split tuples joined. */
export async function* wholeTuples(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const tuple = new Tuple();
  let held: Buffer = Buffer.allocUnsafeSlow(2 * BATCH_BYTES);
  let [size, hasHeader] = [0, false];
  for await (const chunk of chunks) {
    if (size + chunk.length > held.length) held = wider(held, size, size + chunk.length);
    held.set(chunk, size);
    size += chunk.length;
    if (!hasHeader) {
      if (size < HEADER_BYTES) continue;
      const from = headerEnd(held);
      if (size < from) continue;
      held.copyWithin(0, from, size);
      size -= from;
      hasHeader = true;
    }
    if (size < BATCH_BYTES) continue;
    const end = endOf(tuple, held.subarray(0, size));
    if (end === 0) continue;
    yield held.subarray(0, end);
    held.copyWithin(0, end, size);
    size -= end;
  }
  const end = hasHeader ? endOf(tuple, held.subarray(0, size)) : 0;
  if (!hasHeader || size - end !== 2 || held.readInt16BE(end) !== END) throw new Error("the copy broke off");
  if (end > 0) yield held.subarray(0, end);
}

/** The offset of the first tuple. The header is `signature, int32 flags, int32 length` and `length` more bytes. */
function headerEnd(bytes: Buffer): number {
  if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw new Error("no binary copy");
  return HEADER_BYTES + bytes.readInt32BE(HEADER_BYTES - 4);
}

/** The offset after the last whole tuple. */
function endOf(tuple: Tuple, bytes: Buffer): number {
  tuple.over(bytes);
  while (tuple.next());
  return tuple.at;
}

function wider(bytes: Buffer, used: number, wanted: number): Buffer {
  const fresh = Buffer.allocUnsafeSlow(2 * wanted);
  bytes.copy(fresh, 0, 0, used);
  return fresh;
}
