/** Well below the most that a message may hold. */
const PIECE = 256 * 1024;

/** A text in pieces, each whole in itself: never cut between the halves of a surrogate pair. An empty text is one empty piece. */
export function* pieces(text: string): Generator<string> {
  let at = 0;
  do {
    const end = pieceEnd(text, at);
    yield text.slice(at, end);
    at = end;
  } while (at < text.length);
}

function pieceEnd(text: string, at: number): number {
  const end = Math.min(text.length, at + PIECE);
  return end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff ? end - 1 : end;
}
