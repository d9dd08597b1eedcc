import { realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { ReadStream } from "node:fs";
import type { FastifyReply, FastifyRequest } from "fastify";
import { chunkBytes, isArtefactName } from "./artefact.ts";
import { type Refused, refused } from "./because.ts";
import type { Metrics } from "./metrics.ts";
import type { ArtefactCache } from "./artefact-cache.ts";
import { refuse, type RefuseParts } from "./request-context.ts";

export interface ArtefactParts extends RefuseParts {
  readonly metrics: Metrics;
  /** The artefacts' folder, absolute. */
  readonly root: string;
  /** Learns what has been sent whole. */
  readonly cache: Pick<ArtefactCache, "learn">;
}

/** `/artefacts/PATH`: HEAD, ranges, ETag and conditions by @fastify/static, with large reads; its end is told. */
export function artefactRoute(parts: ArtefactParts) {
  let transfers = 0;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const path = pathOf(request);
    const no = isArtefactName(path)
      ? await refusalFor(parts.root, path)
      : refused("the name is not one of an artefact", printable(path));
    if (no) return refuse(parts, request, reply, no);
    transfers++;
    reply.raw.once("close", () => transfers--);
    void reply.header("cache-control", "no-cache"); // EDK2 and caches may keep it, and must ask whether it is the same
    const options = { highWaterMark: chunkBytes(transfers), cacheControl: false };
    return reply.sendFile(path, options);
  };
}

/** Once the last byte is read or the machine has left: what it got. Ranges of one file are told by their last. */
export function artefactSent({ metrics, journal, cache }: ArtefactParts) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    if (!(payload instanceof ReadStream)) return payload;
    const caller = request.caller ?? {};
    const path = pathOf(request);
    const bytes = Number(reply.getHeader("content-length"));
    const isLast = reply.statusCode === 200 || isAtEnd(String(reply.getHeader("content-range")));
    reply.raw.once("close", () => {
      metrics.bytes(payload.bytesRead);
      const isWhole = reply.raw.writableFinished;
      if (isWhole && reply.statusCode === 200) void cache.learn(path);
      if (!isLast && isWhole) return;
      const because = isWhole ? {} : { because: `the machine left before the end of its ${bytes} bytes` };
      journal.tell("pxe.artefact", caller, { detail: { path, bytes: String(payload.bytesRead) }, ...because });
    });
    return payload;
  };
}

/** The part of an artefact's URL below `/artefacts/`, decoded; empty for other routes. */
export function pathOf(request: FastifyRequest): string {
  return (request.params as { readonly "*"?: string } | undefined)?.["*"] ?? "";
}

/** A link may lead anywhere within the folder, and nowhere else. */
async function refusalFor(root: string, path: string): Promise<Refused | undefined> {
  try {
    const real = await realpath(join(root, path));
    if (relative(await realpath(root), real).split(sep)[0] === "..")
      return refused("the artefact leaves its folder", path);
    return (await stat(real)).isFile() ? undefined : refused("no such artefact", `${path} is not a file`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refused("no such artefact", code === "ENOENT" || code === "ENOTDIR" ? path : `${path} (${code})`);
  }
}

function isAtEnd(contentRange: string): boolean {
  const [, last, size] = /-(\d+)\/(\d+)$/.exec(contentRange) ?? [];
  return Number(last) + 1 === Number(size);
}

const printable = (path: string): string => path.slice(0, 100).replaceAll(/[^ -~]/g, "?");
