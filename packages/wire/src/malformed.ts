/**
 * What a codec returns for bytes that are not of its protocol: a value, never thrown past the codec's door.
 * `because` is a short, fixed sentence (it becomes a counter's label); `at` is the byte offset where reading stopped.
 */
export class Malformed {
  readonly is = "malformed";
  readonly because: string;
  readonly at: number;

  constructor(because: string, at = 0) {
    this.because = because;
    this.at = at;
  }
}

export function isMalformed(value: unknown): value is Malformed {
  return value instanceof Malformed;
}
