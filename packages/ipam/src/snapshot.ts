import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { deserialize, serialize } from "node:v8";
import { crc32 } from "node:zlib";
import type { Position } from "./feed.ts";
import type { Row } from "./model.ts";

/**
 * The replica on disk: a magic line, then frames of `length, crc32, bytes` (big-endian u32s; bytes by V8's serializer,
 * which knows bigints and byte arrays), first the heading, then rows, last an empty frame. The number in the magic line
 * grows with every change of a row's shape: a snapshot of another age is ignored, the database is asked instead.
 */
const MAGIC = Buffer.from("firstlight ipam snapshot 2\n");
const ROWS_PER_FRAME = 1000;
const MOST_FRAME_BYTES = 64 * 1024 * 1024;

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

/** Writes beside the old one, syncs, renames: whoever reads sees the old one or the new one, whole. */
export async function saveSnapshot(
  file: string,
  heading: Omit<Heading, "rows">,
  { count, rows }: { readonly count: number; readonly rows: Iterable<Row> },
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const fresh = `${file}.new`;
  try {
    const handle = await open(fresh, "w", 0o600);
    try {
      await handle.writeFile(MAGIC);
      await writeFrame(handle, serialize({ ...heading, rows: count } satisfies Heading));
      for (const some of frames(rows)) await writeFrame(handle, serialize(some));
      await writeFrame(handle, Buffer.alloc(0));
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

function* frames(rows: Iterable<Row>): Generator<Row[]> {
  let some: Row[] = [];
  for (const row of rows) {
    if (some.push(row) < ROWS_PER_FRAME) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

/**
 * The snapshot, its rows handed to `take` as they are read, or why there is none to use: then what was taken counts for
 * nothing. Any bytes give one or the other.
 */
export async function readSnapshot(file: string, take: (rows: readonly Row[]) => void): Promise<Restored> {
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

async function readFrames(handle: FileHandle, take: (rows: readonly Row[]) => void): Promise<Restored> {
  const magic = await bytesOf(handle, MAGIC.length);
  if (!magic?.equals(MAGIC)) return { is: "ignored", because: "it is of another format" };
  let heading: Heading | undefined;
  let count = 0;
  for (;;) {
    const frame = await readFrame(handle);
    if (typeof frame === "string") return { is: "ignored", because: frame };
    if (frame.length === 0) break;
    if (!heading) heading = deserialize(frame) as Heading;
    else {
      const batch = deserialize(frame) as Row[];
      count += batch.length;
      take(batch);
    }
  }
  if (heading?.rows !== count) return { is: "ignored", because: "rows are missing" };
  return { is: "restored", heading };
}

async function writeFrame(handle: FileHandle, bytes: Buffer): Promise<void> {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(bytes.length, 0);
  head.writeUInt32BE(crc32(bytes), 4);
  await handle.writeFile(head);
  await handle.writeFile(bytes);
}

/** The next frame's bytes, or what is wrong with it: checked before anything is made of them. */
async function readFrame(handle: FileHandle): Promise<Buffer | string> {
  const head = await bytesOf(handle, 8);
  if (!head) return "it ends early";
  const length = head.readUInt32BE(0);
  if (length > MOST_FRAME_BYTES) return "a frame is longer than any we write";
  const bytes = await bytesOf(handle, length);
  if (!bytes) return "it ends early";
  return crc32(bytes) === head.readUInt32BE(4) ? bytes : "a checksum differs";
}

async function bytesOf(handle: FileHandle, length: number): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  return bytes;
}
