import type { Journal } from "./journal.ts";
import type { Metrics } from "./metrics.ts";
import type { Requester } from "./requester.ts";

/** How an answer from memory ended. */
export interface Fetched {
  readonly path: string;
  readonly trace: string | undefined;
  readonly requester: Requester;
  readonly ms: number;
  readonly bytes: number;
  /** The bytes of the whole artefact, where the machine left before it had them. */
  readonly whole: number | undefined;
}

/** Counts it and tells the machine's timeline, as `files.ts` does of what is read from disk. */
export function fetched(
  { metrics, journal }: { readonly metrics: Metrics; readonly journal: Journal },
  { path, trace, requester, ms, bytes, whole }: Fetched,
): void {
  metrics.request("artefact", 200, ms);
  metrics.bytes(bytes);
  const because = whole === undefined ? {} : { because: `the machine left before the end of its ${whole} bytes` };
  const party = trace === undefined ? { requester } : { requester, trace };
  journal.tell("pxe.artefact", party, { detail: { path, bytes: String(bytes) }, ...because });
}
