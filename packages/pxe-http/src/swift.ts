import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Replica } from "@firstlight/ipam";
import type { Shared } from "@firstlight/service";
import { isArtefactName } from "./artefact.ts";
import { fetched } from "./artefact-sent.ts";
import type { Journal } from "./journal.ts";
import type { Metrics } from "./metrics.ts";
import { requesterAt, sourceOf } from "./requester.ts";
import type { ArtefactCache, CachedArtefact } from "./artefact-cache.ts";

export interface SwiftParts {
  readonly cache: ArtefactCache;
  readonly replica: Replica;
  readonly vrf: string;
  readonly shared: Pick<Shared, "take">;
  readonly perClient: { readonly perSecond: number; readonly burst: number };
  readonly journal: Journal;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Everything else, and every no. */
  readonly slow: RequestListener;
}

/** What a machine asks for, in the one form that its scripts have; anything else goes the slow way. */
const ASKED = /^(?:\/t\/([0-9a-f]{32}))?\/artefacts\/([\w.+@=~/-]{1,255})$/;
/** A request with one of these wants less than the whole file, or to be told that it has it. */
const CONDITIONS = ["range", "if-none-match", "if-match", "if-modified-since", "if-unmodified-since"] as const;
const CHUNK_BYTES = 1 << 20;

/**
 * The short way to an artefact that is in memory on a connection that the HTTP server has (`front.ts` has gone before): the
 * same gate as before every route, without the framework around it. What is not plain is left to `slow` before a word is said.
 */
export function swift(parts: SwiftParts): RequestListener {
  return (request, response) => {
    const asked = request.method === "GET" ? ASKED.exec(request.url ?? "") : null;
    if (asked === null || !isArtefactName(asked[2]!) || CONDITIONS.some((name) => request.headers[name] !== undefined))
      return parts.slow(request, response);
    const found = parts.cache.find(asked[2]!);
    if (found === undefined) return parts.slow(request, response);
    serve(parts, request, response, { found, path: asked[2]!, trace: asked[1] }).catch(() => response.destroy());
  };
}

interface Asked {
  readonly found: CachedArtefact | Promise<CachedArtefact | undefined>;
  readonly path: string;
  readonly trace: string | undefined;
}

async function serve(
  parts: SwiftParts,
  request: IncomingMessage,
  response: ServerResponse,
  asked: Asked,
): Promise<void> {
  const { replica, vrf, shared, perClient, now, slow } = parts;
  const from = now();
  const artefact = "content" in asked.found ? asked.found : await asked.found;
  const source = sourceOf(request.socket.remoteAddress);
  const requester = source === undefined ? undefined : requesterAt(replica, source, vrf);
  if (artefact === undefined || requester?.is !== "requester") return slow(request, response);
  const isIn = await shared.take(`pxe-http ${requester.address}`, perClient.perSecond, perClient.burst);
  if (!isIn) return slow(request, response);
  const { content, headers } = artefact;
  const progress: Progress = { bytes: 0 };
  response.once("close", () => {
    const whole = response.writableFinished ? undefined : content.length;
    fetched(parts, { ...asked, requester, ms: now() - from, bytes: progress.bytes, whole });
  });
  response.writeHead(200, headers);
  send(response, content, progress);
}

/** How much of the content has been handed over. */
interface Progress {
  bytes: number;
}

/** The content as fast as the machine takes it; nothing is copied. */
function send(response: ServerResponse, content: Buffer, progress: Progress): void {
  while (content.length - progress.bytes > CHUNK_BYTES) {
    const isRoom = response.write(content.subarray(progress.bytes, (progress.bytes += CHUNK_BYTES)));
    if (!isRoom) return void response.once("drain", () => send(response, content, progress));
  }
  response.end(progress.bytes === 0 ? content : content.subarray(progress.bytes));
  progress.bytes = content.length;
}
