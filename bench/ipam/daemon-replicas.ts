import { KINDS as dhcpd } from "@firstlight/dhcpd/replica";
import { KINDS as dnsd } from "@firstlight/dnsd/replica";
import type { Row } from "@firstlight/ipam";
import { KINDS as pxeHttp } from "@firstlight/pxe-http/replica";
import { KINDS as tftpd } from "@firstlight/tftpd/replica";
import { KINDS as unboundConfig } from "@firstlight/unbound-config/replica";
import type { Sample } from "../harness/contract.ts";
import { loadReplica } from "./load-replica.ts";

/** The kinds of rows that each daemon's replica holds. */
const HELD: Readonly<Record<string, readonly Row["kind"][]>> = {
  tftpd,
  "pxe-http": pxeHttp,
  dnsd,
  "unbound-config": unboundConfig,
  dhcpd,
};

/** Loads the replica of each daemon in turn, each in a process of its own: its memory. The API holds all kinds, as `replica load` does. */
export async function measureDaemons(url: string): Promise<Sample> {
  const extra: Record<string, number> = {};
  let [operations, seconds] = [0, 0];
  for (const [daemon, kinds] of Object.entries(HELD)) {
    const figures = await loadReplica(url, "", kinds);
    operations += figures.rows;
    seconds += figures.seconds;
    for (const name of ["rssMiB", "heapMiB", "bareMiB"]) extra[`${daemon} ${name}`] = figures[name]!;
  }
  return { operations, seconds, failed: 0, extra };
}
