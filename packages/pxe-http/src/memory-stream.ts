import { Readable } from "node:stream";

const CHUNK_BYTES = 1 << 20;

/** Content in memory as a stream that copies nothing. */
export class MemoryStream extends Readable {
  readonly #content: Buffer;
  /** Bytes handed over so far, as `fs.ReadStream` counts them. */
  bytesRead = 0;

  constructor(content: Buffer) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#content = content;
  }

  override _read(): void {
    const part = this.#content.subarray(this.bytesRead, this.bytesRead + CHUNK_BYTES);
    this.bytesRead += part.length;
    this.push(part.length === 0 ? null : part);
  }
}
