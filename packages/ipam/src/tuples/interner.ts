/** Up to this many are compared one by one, which is faster than decoding the bytes first. */
const COMPARED = 8;

/** A few texts that many rows share, each with a number. */
export class Interner {
  readonly #texts: string[] = [];
  readonly #bytes: Buffer[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(texts: Iterable<string> = []) {
    for (const text of texts) this.number(text);
  }

  /** The text's number; a new text gets a new one. */
  number(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.length;
      this.#numbers.set(text, number);
      this.#texts.push(text);
      this.#bytes.push(Buffer.from(text));
    }
    return number;
  }

  text(number: number): string {
    return this.#texts[number]!;
  }

  /** The text's number, -1 if it has none. */
  of(text: string): number {
    return this.#numbers.get(text) ?? -1;
  }

  /** The same for UTF-8 bytes; decodes them only if there are many texts. */
  find(bytes: Buffer, start: number, length: number): number {
    const few = Math.min(COMPARED, this.#bytes.length);
    for (let number = 0; number < few; number++) if (isAt(this.#bytes[number]!, bytes, start, length)) return number;
    return this.#bytes.length > few ? this.of(bytes.toString("utf8", start, start + length)) : -1;
  }
}

function isAt(word: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (word.length !== length) return false;
  for (let n = 0; n < length; n++) if (word[n] !== bytes[start + n]) return false;
  return true;
}
