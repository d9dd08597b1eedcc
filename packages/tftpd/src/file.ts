import type { FileHandle } from "node:fs/promises";
import { toNetascii } from "./netascii.ts";
import type { FileRefusal } from "./refusal.ts";

/** A file that is being sent. */
export interface BootFile extends AsyncDisposable {
  readonly bytes: number;
  /** Fills the blocks, one after the other, from `position` on; says how many bytes there were. At once from memory. */
  read(blocks: readonly Uint8Array[], position: number): number | Promise<number>;
}

export function inMemory(content: Uint8Array): BootFile {
  return {
    bytes: content.length,
    read(blocks, position) {
      let at = position;
      for (const block of blocks) {
        block.set(content.subarray(at, at + block.length));
        at += block.length;
      }
      return Math.max(0, Math.min(at, content.length) - position);
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Reads through the handle as it goes: a file replaced meanwhile is still the old one to its readers. */
export function fileOf(handle: FileHandle, bytes: number): BootFile {
  return {
    bytes,
    read: async (blocks, position) => (await handle.readv(blocks, position)).bytesRead,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** The file with RFC 764 line ends. Its size is known only once it is converted, so it must fit into memory. */
export async function netasciiOf(file: BootFile, mostBytes: number): Promise<BootFile | FileRefusal> {
  await using _file = file;
  if (file.bytes > mostBytes) return "file is too large for netascii";
  const content = new Uint8Array(file.bytes);
  if ((await file.read([content], 0)) !== file.bytes) return "file cannot be read";
  return inMemory(toNetascii(content));
}
