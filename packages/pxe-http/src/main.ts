import { connectApi } from "@firstlight/api-client";
import { openReplica } from "@firstlight/ipam/replica";
import { type Daemon, closeAfterStop } from "@firstlight/service";
import { pxeHttpSchema } from "./config.ts";
import { HOLDING } from "./holding.ts";
import { startPxeHttp } from "./start.ts";

export { pxeHttpSchema } from "./config.ts";
export { type Backing, startPxeHttp } from "./start.ts";

/** Boot scripts, cloud-init, artefacts and phone-home over HTTP, each bound to the machine that asks. */
export const daemon: Daemon<typeof pxeHttpSchema> = {
  name: "pxe-http",
  section: "pxeHttp",
  config: pxeHttpSchema,
  async start(context) {
    await using parts = new AsyncDisposableStack();
    const ipam = parts.use(await openReplica(context, HOLDING));
    const { api, reporter } = parts.use(await connectApi(context));
    const { replica } = ipam;
    const running = await startPxeHttp(context, { replica, api, reporter, ready: () => ipam.ready() });
    return closeAfterStop(parts, running);
  },
};
