import { openReplica } from "@firstlight/ipam/replica";
import { type Daemon, closeAfterStop } from "@firstlight/service";
import { dnsdSchema } from "./config.ts";
import { HOLDING } from "./holding.ts";
import { startDnsd } from "./start.ts";

export { dnsdSchema } from "./config.ts";
export { type Backing, startDnsd } from "./start.ts";

/** Authoritative DNS of the site's names, forward and reverse, answered from the replica alone. */
export const daemon: Daemon<typeof dnsdSchema> = {
  name: "dnsd",
  section: "dnsd",
  config: dnsdSchema,
  async start(context) {
    await using parts = new AsyncDisposableStack();
    const ipam = parts.use(await openReplica(context, HOLDING));
    const running = await startDnsd(context, { replica: ipam.replica, ready: () => ipam.ready() });
    return closeAfterStop(parts, running);
  },
};
