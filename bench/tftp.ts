import { content, FILE_BYTES } from "./tftp/content.ts";
import { fetchAll } from "./tftp/fetch.ts";
import { ours } from "./tftp/ours.ts";
import { peers } from "./tftp/peers.ts";
import type { Bench, Place, Sample } from "./harness/contract.ts";

/** What a client asks for. A peer that knows no windowsize answers without it (RFC 2347), and goes on block by block. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "blksize 512": {},
  "blksize 1468": { blksize: 1468 },
  "windowsize 16": { blksize: 1468, windowsize: 16 },
};

const CLIENTS = 8;
const SECONDS = 3;

/** Reads of one boot loader by eight machines at a time, each with atftp's client, which starts anew when it is done. */
export const bench: Bench = {
  name: "tftp",
  operation: `block of a ${FILE_BYTES >> 20} MiB file sent and acknowledged, ${CLIENTS} clients at a time`,
  rounds: 3,
  variants: Object.keys(OPTIONS),
  packages: ["atftp"],
  contenders: [ours, ...peers],
  load: (_serving, _contender, place, variant) => load(place, variant ?? "blksize 512"),
};

async function load(place: Place, variant: string): Promise<Sample> {
  const options = OPTIONS[variant] ?? {};
  const { files, failed, seconds } = await fetchAll(place, { options, content, clients: CLIENTS, seconds: SECONDS });
  const blocks = Math.floor(FILE_BYTES / (options["blksize"] ?? 512)) + 1;
  const megabytes = (files * FILE_BYTES) / 1e6;
  return { operations: files * blocks, seconds, failed, extra: { megabytesPerSecond: megabytes / seconds } };
}
