import { join } from "node:path";
import { connectApi } from "@firstlight/api-client";
import { openReplica } from "@firstlight/ipam/replica";
import { type Daemon, closeAfterStop } from "@firstlight/service";
import { tftpdSchema } from "./config.ts";
import { HOLDING } from "./holding.ts";
import { startTftpd } from "./start.ts";

export { tftpdSchema } from "./config.ts";
export { type Backing, startTftpd } from "./start.ts";

/** TFTP, read-only: boot loaders for firmware, from one folder. */
export const daemon: Daemon<typeof tftpdSchema> = {
  name: "tftpd",
  section: "tftpd",
  config: tftpdSchema,
  async start(context) {
    await using parts = new AsyncDisposableStack();
    const ipam = parts.use(await openReplica(context, HOLDING));
    const { reporter } = parts.use(await connectApi(context));
    const { config, metrics, clock, log, site } = context;
    const root = config.root ?? join(site.site.stateDir, "artefacts", "ipxe");
    const running = await startTftpd(
      { config, metrics, clock, log, root },
      { replica: ipam.replica, reporter, ready: () => ipam.ready() },
    );
    return closeAfterStop(parts, running);
  },
};
