import type { FileHandle } from "node:fs/promises";
import { toNetascii } from "./netascii.ts";
import type { FileRefusal } from "./refusal.ts";

/** A file that is being sent. */
export interface BootFile extends AsyncDisposable {
  readonly bytes: number;
  /** The content, if it is in memory. */
  readonly content?: Uint8Array;
  /** Fills `into` from `position` and returns the number of bytes: at once from memory, else after a read from disk. */
  read(into: Uint8Array, position: number): number | Promise<number>;
}

/** The size of one read from disk: several windows. A window then costs one copy. */
const AHEAD_BYTES = 64 * 1024;

export function inMemory(content: Uint8Array): BootFile {
  return {
    bytes: content.length,
    content,
    read: (into, position) => copy(content, position, into),
    async [Symbol.asyncDispose]() {},
  };
}

/** Reads through one handle: a file that is replaced during the transfer stays the old one for its readers. */
export function fileOf(handle: FileHandle, bytes: number): BootFile {
  let ahead: Uint8Array | undefined;
  let [from, until] = [0, 0]; // of the file, what `ahead` holds
  return {
    bytes,
    read(into, position) {
      if (into.length === 0) return 0;
      if (position >= from && Math.min(position + into.length, bytes) <= until)
        return copy(ahead!.subarray(0, until - from), position - from, into);
      if (ahead === undefined || ahead.length < into.length) {
        ahead = new Uint8Array(Math.min(bytes, Math.max(AHEAD_BYTES, into.length)));
      }
      from = until = 0; // nothing, until the read is whole
      return filled(handle, ahead, position).then((got) => {
        [from, until] = [position, position + got];
        return copy(ahead!.subarray(0, got), 0, into);
      });
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

function copy(content: Uint8Array, at: number, into: Uint8Array): number {
  const part = content.subarray(at, at + into.length);
  into.set(part);
  return part.length;
}

/** Reads from `position` on until `into` is full or the file ends; says how many bytes there were. */
export async function filled(handle: FileHandle, into: Uint8Array, position: number): Promise<number> {
  for (let got = 0; ;) {
    const { bytesRead } = await handle.read(into, got, into.length - got, position + got);
    got += bytesRead;
    if (bytesRead === 0 || got === into.length) return got;
  }
}

/** The file with RFC 764 line ends. Its size is known only once it is converted, so it must fit into memory. */
export async function netasciiOf(file: BootFile, mostBytes: number): Promise<BootFile | FileRefusal> {
  await using _file = file;
  if (file.bytes > mostBytes) return "file-too-large-for-netascii";
  const content = new Uint8Array(file.bytes);
  if ((await file.read(content, 0)) !== file.bytes) return "file-cannot-be-read";
  return inMemory(toNetascii(content));
}
