import { connectApi } from "@firstlight/api-client";
import { openIpam } from "@firstlight/ipam/store";
import { type Daemon, closeAfterStop } from "@firstlight/service";
import { dhcpdSchema } from "./config.ts";
import { HOLDING } from "./holding.ts";
import { startDhcpd } from "./start.ts";

export { dhcpdSchema } from "./config.ts";
export { type Backing, startDhcpd } from "./start.ts";

/** DHCP for the site's underlay: relayed and local, answered from the IPAM, every promise durable before it is spoken. */
export const daemon: Daemon<typeof dhcpdSchema> = {
  name: "dhcpd",
  section: "dhcpd",
  config: dhcpdSchema,
  async start(context) {
    await using parts = new AsyncDisposableStack();
    // Who writes leases can also order their changes: names and scripts follow while the API is away.
    const ipam = parts.use(await openIpam({ context, holding: HOLDING, sequencer: true }));
    const { api, reporter } = parts.use(await connectApi(context));
    const { store, replica } = ipam;
    const running = await startDhcpd(context, { store, replica, api, reporter, ready: () => ipam.ready() });
    return closeAfterStop(parts, running);
  },
};
