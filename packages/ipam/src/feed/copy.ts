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
/** Handed on when so much has come: large enough to be worth a turn, small enough to stay in the processor's cache. */
const BATCH_BYTES = 256 * 1024;
/** A database that sends nothing for so long is taken for lost. */
const SILENT_MS = 10_000;
/** One table's bound in all. A million leases take two seconds. */
const COPY_MS = 120_000;

/** Every row of a table as the connection's transaction sees it, in PostgreSQL's binary form. */
export async function* copied(client: Client, kind: Bulk): AsyncGenerator<Tuples> {
  await withTimeout(SILENT_MS, client.query(`SET LOCAL statement_timeout = ${COPY_MS}`));
  const columns = await withTimeout(SILENT_MS, columnsOf(client, kind));
  const counted = client.query<{ total: number }>(`SELECT count(*) AS total FROM ${TABLES[kind]}`);
  const { rows } = await withTimeout(COPY_MS, counted);
  const copy = client.query(to(`COPY (SELECT ${columns} FROM ${TABLES[kind]} t) TO STDOUT (FORMAT binary)`));
  for await (const bytes of whole(heard(copy, SILENT_MS))) yield new Tuples(kind, bytes, rows[0]!.total);
}

/** The stream's chunks; a rejection once there was none for so long while somebody waited. */
export async function* heard(stream: Readable, silentMs: number): AsyncGenerator<Uint8Array> {
  stream.on("error", () => {}); // one that comes after the reader has turned away
  const hush = (): void => void stream.destroy(new TimedOut(`the database sent nothing for ${silentMs} ms`));
  let silence = setTimeout(hush, silentMs);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      clearTimeout(silence);
      yield chunk;
      silence = setTimeout(hush, silentMs);
    }
  } finally {
    clearTimeout(silence);
  }
}

/**
 * What a tuple is to carry, in the order of `COLUMNS`. The table may be of another version than we are: a column it does not
 * have is NULL, one that we do not know goes into `more`.
 */
async function columnsOf(client: Client, kind: Bulk): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
    [TABLES[kind]],
  );
  const there = new Set(rows.map(({ name }) => name));
  const unknown = [...there].filter((name) => !(name in COLUMNS[kind]) && !UNREAD[kind].includes(name));
  return Object.entries(COLUMNS[kind])
    .map(([name, type]) =>
      name === "more" ? moreOf(unknown) : there.has(name) ? escapeIdentifier(name) : `NULL::${type}`,
    )
    .join(", ");
}

function moreOf(columns: readonly string[]): string {
  if (columns.length === 0) return "NULL::text";
  const pairs = columns.map((name) => `${escapeLiteral(name)}, t.${escapeIdentifier(name)}`).join(", ");
  return `nullif(jsonb_strip_nulls(jsonb_build_object(${pairs})), '{}')::text`;
}

/** The chunks of a COPY as whole tuples: header and end taken off, what comes in two parts put together, in one buffer. */
export async function* whole(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
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

/** Where the tuples begin: `signature, int32 flags, int32 length` and so many bytes more. */
function headerEnd(bytes: Buffer): number {
  if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw new Error("no binary copy");
  return HEADER_BYTES + bytes.readInt32BE(HEADER_BYTES - 4);
}

/** Where the last whole tuple ends. */
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
