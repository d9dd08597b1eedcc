import type { Link } from "./batch/link.ts";

export type { Link, Station } from "./batch/link.ts";

/** Rejects with `FL_UNAVAILABLE` without CAP_NET_RAW, and elsewhere than on Linux. */
export async function openLink(): Promise<Link> {
  return (await import("./batch/link.ts")).createLink(); // late: elsewhere there is no koffi to load
}
