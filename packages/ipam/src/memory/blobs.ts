/** Byte strings that many rows share (a switch's remote id, its ports' circuit ids), each held once. 0 stands for none. */
export class Blobs {
  readonly #ids = new Map<string, number>();
  readonly #bytes: (Uint8Array | undefined)[] = [undefined];
  readonly #uses: number[] = [0];
  readonly #free: number[] = [];

  /** The number of these bytes, with one use more. */
  hold(bytes: Uint8Array | undefined): number {
    if (!bytes) return 0;
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#free.pop() ?? this.#bytes.length;
      this.#ids.set(key, id);
      this.#bytes[id] = bytes;
      this.#uses[id] = 0;
    }
    this.#uses[id]!++;
    return id;
  }

  bytes(id: number): Uint8Array | undefined {
    return this.#bytes[id];
  }

  release(id: number): void {
    if (id === 0 || --this.#uses[id]! > 0) return;
    const bytes = this.#bytes[id]!;
    this.#ids.delete(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"));
    this.#bytes[id] = undefined;
    this.#free.push(id);
  }
}
