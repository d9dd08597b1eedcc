/** UTF-16 units, well below the message limit. */
const CHUNK_LENGTH = 256 * 1024;

/** Splits a text into chunks, never inside a surrogate pair. An empty text is one empty chunk. */
export function* textChunks(text: string): Generator<string> {
  let at = 0;
  do {
    const end = chunkEnd(text, at);
    yield text.slice(at, end);
    at = end;
  } while (at < text.length);
}

function chunkEnd(text: string, at: number): number {
  const end = Math.min(text.length, at + CHUNK_LENGTH);
  return end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff ? end - 1 : end;
}
