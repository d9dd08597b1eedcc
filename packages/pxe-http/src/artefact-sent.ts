import type { EventRecorder, Party } from "./event-recorder.ts";

/** How an answer with an artefact ended. */
export interface ArtefactSent {
  readonly path: string;
  readonly party: Party;
  readonly bytes: number;
  /** The size of the answer in bytes, if the machine closed the connection before its end. */
  readonly cutFrom: number | undefined;
}

/** Puts the answer on the machine's timeline. The caller counts the bytes: a range may count without an event. */
export function recordArtefact(events: EventRecorder, { path, party, bytes, cutFrom }: ArtefactSent): void {
  const detail = { path, bytes: String(bytes) };
  if (cutFrom === undefined) return events.record("pxe.artefact", party, { detail });
  events.record("pxe.artefact", party, { because: "machine-left", detail: { ...detail, of: String(cutFrom) } });
}
