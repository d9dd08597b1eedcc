import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import type { Position } from "../feed/feed.ts";
import type { Kind, Row } from "../model/model.ts";
import { type Bulk, COLUMNS } from "../tuples/columns.ts";
import { Tuples } from "../tuples/tuples.ts";
import { TupleWriter } from "../tuples/writer.ts";

/**
 * The replica on disk: a magic line, then frames of `tag u8, length u32, crc32 u32, bytes` (big-endian; the checksum covers
 * tag and bytes): the heading, then rows, then an empty frame. Interfaces and leases are tuples, as in a load from the
 * database. The heading and all other rows are in V8's serialization format, which has bigints and byte arrays. The number in
 * the magic line grows with every change of a row's shape. The heading names the kinds and the tuples' columns. A snapshot
 * with another number, other columns or other kinds is ignored, and the database is asked instead.
 */
const MAGIC = Buffer.from("firstlight ipam snapshot 5\n");
const ROWS_PER_FRAME = 1000;
const MOST_FRAME_BYTES = 64 * 1024 * 1024;
const HEAD_BYTES = 9;

/** The content of a frame, by its tag. */
const TAGS = ["end", "heading", "rows", "interface", "lease"] as const;
type Tag = (typeof TAGS)[number];

const SHAPE = JSON.stringify(COLUMNS);

/** The position and the clocks of a snapshot. Clock readings are milliseconds. */
export interface Heading {
  readonly at: Position;
  readonly dnsPosition: number;
  /** When, by this machine's clock, the feed was last known to be complete. */
  readonly completeAt: number;
  /** The database's clock minus this machine's. */
  readonly ahead: number;
  readonly rows: number;
}

export type Restored =
  | { readonly is: "restored"; readonly heading: Heading }
  | { readonly is: "ignored"; readonly because: string };

/** The first frame: the heading, the kinds of the rows, the columns of the tuples, and the number of rows of each bulk kind. */
interface Head extends Heading {
  readonly kinds: readonly Kind[];
  readonly shape: string;
  readonly totals: Readonly<Record<Bulk, number>>;
}

/** Writes a new file, syncs it and renames it: a reader sees the whole old snapshot or the whole new one. */
export async function saveSnapshot(
  file: string,
  heading: Omit<Heading, "rows">,
  { kinds, count, rows, totals = NO_TOTALS }: Saved,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const fresh = `${file}.new`;
  try {
    const handle = await open(fresh, "w", 0o600);
    try {
      await handle.writeFile(MAGIC);
      const head: Head = { ...heading, rows: count, kinds, shape: SHAPE, totals };
      await writeFrame(handle, "heading", serialize(head));
      for (const [tag, bytes] of frames(rows)) await writeFrame(handle, tag, bytes);
      await writeFrame(handle, "end", Buffer.alloc(0));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, file);
  } catch (cause) {
    await rm(fresh, { force: true });
    throw cause;
  }
}

/** What is saved, and the number of rows of the bulk kinds, for which a reader reserves room. */
interface Saved {
  readonly kinds: readonly Kind[];
  readonly count: number;
  readonly rows: Iterable<Row>;
  readonly totals?: Readonly<Record<Bulk, number>>;
}

const NO_TOTALS: Readonly<Record<Bulk, number>> = { interface: 0, lease: 0 };

/** Each frame is valid until the next one is asked for. */
function* frames(rows: Iterable<Row>): Generator<[Tag, Uint8Array]> {
  let batch: Row[] = [];
  const writers = { interface: new TupleWriter(), lease: new TupleWriter() };
  for (const row of rows) {
    if ((row.kind === "interface" || row.kind === "lease") && TupleWriter.fits(row)) {
      const writer = writers[row.kind];
      writer.write(row);
      if (writer.isFull) yield [row.kind, writer.take()];
    } else if (batch.push(row) >= ROWS_PER_FRAME) {
      yield ["rows", serialize(batch)];
      batch = [];
    }
  }
  if (batch.length > 0) yield ["rows", serialize(batch)];
  for (const kind of ["interface", "lease"] as const) {
    const rest = writers[kind].take();
    if (rest.length > 0) yield [kind, rest];
  }
}

/**
 * Reads the snapshot and passes its rows to `take`, batch by batch; a batch is valid until `take` returns. If the snapshot
 * cannot be used (`ignored`), the caller drops the rows that it has taken. Any bytes give one of the two results.
 */
export async function readSnapshot(
  file: string,
  kinds: readonly Kind[],
  take: (rows: Iterable<Row>) => void,
): Promise<Restored> {
  let handle: FileHandle;
  try {
    handle = await open(file, "r");
  } catch (cause) {
    return {
      is: "ignored",
      because: (cause as NodeJS.ErrnoException).code === "ENOENT" ? "there is none yet" : String(cause),
    };
  }
  try {
    return await readFrames(handle, kinds, take);
  } catch (cause) {
    return { is: "ignored", because: String(cause) };
  } finally {
    await handle.close();
  }
}

async function readFrames(
  handle: FileHandle,
  kinds: readonly Kind[],
  take: (rows: Iterable<Row>) => void,
): Promise<Restored> {
  const magic = Buffer.alloc(MAGIC.length);
  if (!(await fill(handle, magic)) || !magic.equals(MAGIC)) return ignored("it is of another format");
  const reader = new FrameReader(handle);
  const first = await reader.next();
  if (typeof first === "string") return ignored(first);
  if (first.tag !== "heading") return ignored("it has no heading");
  const { kinds: held, shape, totals, ...heading } = deserialize(first.bytes) as Head;
  if (shape !== SHAPE) return ignored("its rows have other columns");
  if (!isSameSet(held, kinds)) return ignored(`it holds other kinds: ${held.join(", ")}`);
  let count = 0;
  for (;;) {
    const frame = await reader.next();
    if (typeof frame === "string") return ignored(frame);
    const { tag, bytes } = frame;
    if (tag === "end") break;
    const batch =
      tag === "rows" ? (deserialize(bytes) as Row[]) : tag === "heading" ? [] : new Tuples(tag, bytes, totals[tag]);
    take(batch);
    count += Array.isArray(batch) ? batch.length : batch.count();
  }
  return heading.rows === count ? { is: "restored", heading } : ignored("rows are missing");
}

function isSameSet(a: readonly Kind[], b: readonly Kind[]): boolean {
  return new Set(a).symmetricDifference(new Set(b)).size === 0;
}

function ignored(because: string): Restored {
  return { is: "ignored", because };
}

async function writeFrame(handle: FileHandle, tag: Tag, bytes: Uint8Array): Promise<void> {
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = TAGS.indexOf(tag);
  head.writeUInt32BE(bytes.length, 1);
  head.writeUInt32BE(checksum(tag, bytes), 5);
  await handle.writeFile(head);
  await handle.writeFile(bytes);
}

function checksum(tag: Tag, bytes: Uint8Array): number {
  return crc32(bytes, TAGS.indexOf(tag));
}

/** Reads one frame after another and checks it. Tuples are read into one reused buffer. */
class FrameReader {
  readonly #handle: FileHandle;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #bytes = Buffer.alloc(0);

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** The next frame, or the reason why it is not valid. */
  async next(): Promise<{ readonly tag: Tag; readonly bytes: Buffer } | string> {
    if (!(await fill(this.#handle, this.#head))) return "it ends early";
    const tag = TAGS[this.#head[0]!];
    const length = this.#head.readUInt32BE(1);
    if (tag === undefined) return "a frame is of no kind we write";
    if (length > MOST_FRAME_BYTES) return "a frame is longer than any we write";
    const bytes = tag === "interface" || tag === "lease" ? this.#room(length) : Buffer.alloc(length);
    if (!(await fill(this.#handle, bytes))) return "it ends early";
    return checksum(tag, bytes) === this.#head.readUInt32BE(5) ? { tag, bytes } : "a checksum differs";
  }

  #room(length: number): Buffer {
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(length);
    return this.#bytes.subarray(0, length);
  }
}

async function fill(handle: FileHandle, bytes: Buffer): Promise<boolean> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at);
    if (bytesRead === 0) return false;
    at += bytesRead;
  }
  return true;
}
