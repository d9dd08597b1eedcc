import { createAppender } from "@firstlight/changefeed";
import { KINDS } from "../feed/kinds.ts";

/** Appends changes, tombstones, events and audit entries of the IPAM in the transaction that makes them. */
export const append = createAppender(KINDS);
