import { content, FILE_BYTES } from "./tftp/content.ts";
import { fetchAll } from "./tftp/fetch.ts";
import { ours } from "./tftp/ours.ts";
import { peers } from "./tftp/peers.ts";
import type { Bench, Placement, Sample } from "./harness/contract.ts";

/** The options of a client's request. A peer that does not know windowsize answers without it (RFC 2347) and sends block by block. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "blksize 512": {},
  "blksize 1468": { blksize: 1468 },
  "windowsize 16": { blksize: 1468, windowsize: 16 },
};

const CLIENTS = 8;
const LOAD_SECONDS = 3;

/** Eight clients at a time read one boot loader. Each is a process of atftp; when it has the file, the next one starts. */
export const bench: Bench = {
  name: "tftp",
  operation: `block of a ${FILE_BYTES >> 20} MiB file sent and acknowledged, ${CLIENTS} clients at a time`,
  rounds: 3,
  variants: Object.keys(OPTIONS),
  packages: ["atftp"],
  contenders: [ours, ...peers],
  load: (_server, _contender, placement, variant) => load(placement, variant ?? "blksize 512"),
};

async function load(placement: Placement, variant: string): Promise<Sample> {
  const options = OPTIONS[variant] ?? {};
  const { files, failed, seconds } = await fetchAll(placement, {
    options,
    content,
    clients: CLIENTS,
    seconds: LOAD_SECONDS,
  });
  const blocks = Math.floor(FILE_BYTES / (options["blksize"] ?? 512)) + 1;
  const megabytes = (files * FILE_BYTES) / 1e6;
  return { operations: files * blocks, seconds, failed, extra: { megabytesPerSecond: megabytes / seconds } };
}
