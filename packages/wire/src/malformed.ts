/**
 * What a codec returns for bytes that are not of its protocol: a value, never thrown past the codec's door.
 * `because` is short and fixed: of a whole packet a code, which becomes a counter's label; of a text that a person wrote a
 * sentence. `at` is the byte offset where reading stopped.
 */
export class Malformed<Because extends string = string> {
  readonly is = "malformed";
  readonly because: Because;
  readonly at: number;

  constructor(because: Because, at = 0) {
    this.because = because;
    this.at = at;
  }
}

export function isMalformed(value: unknown): value is Malformed {
  return value instanceof Malformed;
}

/** The value of a text that somebody has checked before, a schema for one: what is malformed here is a bug. */
export function assertParsed<T>(value: T, text: string): Exclude<T, Malformed> {
  if (isMalformed(value)) throw new TypeError(`${text}: ${value.because}`);
  return value as Exclude<T, Malformed>;
}
