import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import type { Position } from "../feed/feed.ts";
import type { Row } from "../model/model.ts";
import { type Bulk, COLUMNS } from "../tuples/columns.ts";
import { Tuples } from "../tuples/tuples.ts";
import { TupleWriter } from "../tuples/writer.ts";

/**
 * The replica on disk: a magic line, then frames of `tag u8, length u32, crc32 u32, bytes` (big-endian; the checksum is of
 * tag and bytes), first the heading, then rows, last an empty frame. Interfaces and leases are tuples, as a load from the
 * database has them; what has no tuple, and headings, are in V8's form, which knows bigints and byte arrays. The number in
 * the magic line grows with every change of a row's shape, and the heading names the tuples' columns: a snapshot of another
 * age is ignored, the database is asked instead.
 */
const MAGIC = Buffer.from("firstlight ipam snapshot 4\n");
const ROWS_PER_FRAME = 1000;
const MOST_FRAME_BYTES = 64 * 1024 * 1024;
const HEAD_BYTES = 9;

/** What a frame holds, by its tag. */
const TAGS = ["end", "heading", "rows", "interface", "lease"] as const;
type Tag = (typeof TAGS)[number];

const SHAPE = JSON.stringify(COLUMNS);

/** Where a snapshot stands. Clock readings are milliseconds. */
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

/** What stands at the head of the file: the heading, the columns of its tuples, and how many rows of each bulk kind there are. */
interface Head extends Heading {
  readonly shape: string;
  readonly most: Readonly<Record<Bulk, number>>;
}

/** Writes beside the old one, syncs, renames: whoever reads sees the old one or the new one, whole. */
export async function saveSnapshot(
  file: string,
  heading: Omit<Heading, "rows">,
  { count, rows, most = NONE }: Saved,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const fresh = `${file}.new`;
  try {
    const handle = await open(fresh, "w", 0o600);
    try {
      await handle.writeFile(MAGIC);
      await writeFrame(handle, "heading", serialize({ ...heading, rows: count, shape: SHAPE, most } satisfies Head));
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

/** What is saved, and how much of the bulk kinds to make room for when it is read. */
interface Saved {
  readonly count: number;
  readonly rows: Iterable<Row>;
  readonly most?: Readonly<Record<Bulk, number>>;
}

const NONE: Readonly<Record<Bulk, number>> = { interface: 0, lease: 0 };

/** Each good until the next is asked for. */
function* frames(rows: Iterable<Row>): Generator<[Tag, Uint8Array]> {
  let some: Row[] = [];
  const writers = { interface: new TupleWriter(), lease: new TupleWriter() };
  for (const row of rows) {
    if ((row.kind === "interface" || row.kind === "lease") && TupleWriter.fits(row)) {
      const writer = writers[row.kind];
      writer.write(row);
      if (writer.isFull) yield [row.kind, writer.take()];
    } else if (some.push(row) >= ROWS_PER_FRAME) {
      yield ["rows", serialize(some)];
      some = [];
    }
  }
  if (some.length > 0) yield ["rows", serialize(some)];
  for (const kind of ["interface", "lease"] as const) {
    const rest = writers[kind].take();
    if (rest.length > 0) yield [kind, rest];
  }
}

/**
 * The snapshot, its rows handed to `take` as they are read, or why there is none to use: then what was taken counts for
 * nothing. Any bytes give one or the other. A batch is good until `take` returns.
 */
export async function readSnapshot(file: string, take: (rows: Iterable<Row>) => void): Promise<Restored> {
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
    return await readFrames(handle, take);
  } catch (cause) {
    return { is: "ignored", because: String(cause) };
  } finally {
    await handle.close();
  }
}

async function readFrames(handle: FileHandle, take: (rows: Iterable<Row>) => void): Promise<Restored> {
  const magic = Buffer.alloc(MAGIC.length);
  if (!(await fill(handle, magic)) || !magic.equals(MAGIC)) return ignored("it is of another format");
  const reader = new FrameReader(handle);
  const first = await reader.next();
  if (typeof first === "string") return ignored(first);
  if (first.tag !== "heading") return ignored("it has no heading");
  const { shape, most, ...heading } = deserialize(first.bytes) as Head;
  if (shape !== SHAPE) return ignored("its rows have other columns");
  let count = 0;
  for (;;) {
    const frame = await reader.next();
    if (typeof frame === "string") return ignored(frame);
    const { tag, bytes } = frame;
    if (tag === "end") break;
    const batch =
      tag === "rows" ? (deserialize(bytes) as Row[]) : tag === "heading" ? [] : new Tuples(tag, bytes, most[tag]);
    take(batch);
    count += Array.isArray(batch) ? batch.length : batch.count();
  }
  return heading.rows === count ? { is: "restored", heading } : ignored("rows are missing");
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

/** Frames in turn, checked before anything is made of them. Tuples are read into one buffer that is used again. */
class FrameReader {
  readonly #handle: FileHandle;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #bytes = Buffer.alloc(0);

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** The next frame, or what is wrong with it. */
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
