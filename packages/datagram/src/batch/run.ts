import koffi from "koffi";

/** Bytes that the kernel reads where they stand. They must not move: not those of a small array on V8's heap. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly address: number;
}

/** Datagrams that carry consecutive slices of one body, each behind a head of its own. */
export interface Run {
  readonly body: Body;
  /** Where in the body the first slice begins. */
  readonly position: number;
  /** Of each slice; the body's last one may be shorter, or empty. */
  readonly sliceBytes: number;
  readonly count: number;
  /** `count` heads one after the other, which are copied at once. */
  readonly heads: Uint8Array;
  readonly headBytes: number;
}

/** The address of `bytes`, valid while the body is referenced. */
export function pinned(bytes: Uint8Array): Body {
  const { buffer, byteOffset } = bytes; // asked for: this takes an array off the heap, for good
  return { bytes, address: buffer.byteLength === 0 ? 0 : Number(koffi.address(buffer)) + byteOffset };
}
