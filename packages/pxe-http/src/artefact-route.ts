import { realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { ReadStream } from "node:fs";
import type { FastifyReply, FastifyRequest } from "fastify";
import { chunkBytes, isArtefactName } from "./artefact.ts";
import { type Refused, refused } from "./reasons.ts";
import type { Metrics } from "./metrics.ts";
import type { ArtefactCache } from "./artefact-cache.ts";
import { recordArtefact } from "./artefact-sent.ts";
import { MemoryStream } from "./memory-stream.ts";
import { refuse, type RefuseParts } from "./request-context.ts";

export interface ArtefactParts extends RefuseParts {
  readonly metrics: Metrics;
  /** The artefacts' folder, absolute. */
  readonly root: string;
  readonly cache: Pick<ArtefactCache, "find" | "learn">;
}

/** A request with one of these headers wants a part of the file, or only to know whether it changed. */
const CONDITIONS = ["range", "if-none-match", "if-match", "if-modified-since", "if-unmodified-since"] as const;

/** `/artefacts/PATH`: a whole file from memory where it is cached; HEAD, ranges and conditions by @fastify/static. */
export function artefactRoute(parts: ArtefactParts) {
  let transfers = 0;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const path = pathOf(request);
    const cached = isWholeWanted(request) && isArtefactName(path) ? await parts.cache.find(path) : undefined;
    if (cached !== undefined) return reply.headers(cached.headers).send(new MemoryStream(cached.content));
    const no = isArtefactName(path)
      ? await refusalFor(parts.root, path)
      : refused("artefact-name-invalid", printable(path));
    if (no) return refuse(parts, request, reply, no);
    transfers++;
    reply.raw.once("close", () => transfers--);
    void reply.header("cache-control", "no-cache"); // EDK2 and caches may keep it, and must ask whether it is the same
    const options = { highWaterMark: chunkBytes(transfers), cacheControl: false };
    return reply.sendFile(path, options);
  };
}

/** Records an answer once it ended. Of the ranges of one file, only the last range makes an event. */
export function artefactSent({ metrics, events, cache }: ArtefactParts) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    if (!(payload instanceof ReadStream || payload instanceof MemoryStream)) return payload;
    const caller = request.caller ?? {};
    const path = pathOf(request);
    const bytes = Number(reply.getHeader("content-length"));
    const isLast = reply.statusCode === 200 || isAtEnd(String(reply.getHeader("content-range")));
    reply.raw.once("close", () => {
      metrics.bytes(payload.bytesRead);
      const isWhole = reply.raw.writableFinished;
      if (isWhole && reply.statusCode === 200) void cache.learn(path);
      if (!isLast && isWhole) return;
      const cutFrom = isWhole ? undefined : bytes;
      recordArtefact(events, { path, party: caller, bytes: payload.bytesRead, cutFrom });
    });
    return payload;
  };
}

const isWholeWanted = ({ method, headers }: FastifyRequest): boolean =>
  method === "GET" && CONDITIONS.every((name) => headers[name] === undefined);

/** The part of an artefact's URL below `/artefacts/`, decoded; empty for other routes. */
export function pathOf(request: FastifyRequest): string {
  return (request.params as { readonly "*"?: string } | undefined)?.["*"] ?? "";
}

/** Why a file is not served. A link may point within the folder only. */
async function refusalFor(root: string, path: string): Promise<Refused | undefined> {
  try {
    const real = await realpath(join(root, path));
    if (relative(await realpath(root), real).split(sep)[0] === "..") return refused("artefact-leaves-folder", path);
    return (await stat(real)).isFile() ? undefined : refused("no-such-artefact", `${path} is not a file`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refused("no-such-artefact", code === "ENOENT" || code === "ENOTDIR" ? path : `${path} (${code})`);
  }
}

function isAtEnd(contentRange: string): boolean {
  const [, last, size] = /-(\d+)\/(\d+)$/.exec(contentRange) ?? [];
  return Number(last) + 1 === Number(size);
}

const printable = (path: string): string => path.slice(0, 100).replaceAll(/[^ -~]/g, "?");
