import { openReplica } from "@firstlight/ipam/replica";
import { type Daemon, closeAfterStop, describeReason, type DescribedReason, type Running } from "@firstlight/service";
import { unboundConfigSchema } from "./config.ts";
import { HOLDING } from "./holding.ts";
import { type Reason, REASONS } from "./reasons.ts";
import { startUnboundConfig } from "./start.ts";

export { type UnboundConfig, unboundConfigSchema } from "./config.ts";
export { type Backing, startUnboundConfig } from "./start.ts";

/** Configures a real unbound as the site's recursive resolver: writes its file from the IPAM and flushes changed names. */
export const daemon: Daemon<typeof unboundConfigSchema> = {
  name: "unbound-config",
  section: "unboundConfig",
  config: unboundConfigSchema,
  async start(context) {
    if (!context.config.enabled) {
      const because: Reason = "resolver-disabled";
      context.log.info({ because }, "nothing to do");
      return idle(describeReason(REASONS, because));
    }
    await using parts = new AsyncDisposableStack();
    const ipam = parts.use(await openReplica(context, HOLDING));
    const running = await startUnboundConfig(context, { replica: ipam.replica, ready: () => ipam.ready() });
    return closeAfterStop(parts, running);
  },
};

/** Runs without work until it is stopped: a process that ends would be restarted. */
function idle(disabled: DescribedReason): Running {
  const living = setInterval(() => {}, 3_600_000);
  const stop = (): Promise<void> => Promise.resolve(clearInterval(living));
  return { endpoints: {}, ready: () => ({ ready: true, ...disabled }), drain: stop, stop };
}
