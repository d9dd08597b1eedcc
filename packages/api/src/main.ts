/** The API service: gRPC with reflection over mTLS; the machines' lifecycle and timelines; addresses and names for operators. */
import { expectedMachinesSchema, ipamSchema, openIpam, type SiteDeclaration } from "@firstlight/ipam";
import type { Context, Daemon, Running } from "@firstlight/service";
import { startApi } from "./api.ts";
import { type ApiConfig, apiSchema } from "./config.ts";
import { openPool } from "./database.ts";

export { apiSchema } from "./config.ts";
export { migrateApi } from "./migrate.ts";

export const daemon: Daemon<typeof apiSchema> = { name: "api", section: "api", config: apiSchema, start };

async function start(context: Context<ApiConfig>): Promise<Running> {
  await using parts = new AsyncDisposableStack();
  const pool = openPool(context.site, (error) => context.log.warn({ error }, "a database connection broke"));
  parts.defer(() => pool.end());
  const ipam = parts.use(await openIpam({ context, sequencer: true }));
  const running = await startApi(context, ipam, pool, declared(context));
  const owned = parts.move();
  return {
    ...running,
    async stop() {
      await running.stop();
      await owned.disposeAsync();
    },
  };
}

/** The file's sections that the API writes down for all. */
function declared({ sections }: Context<unknown>): SiteDeclaration {
  return {
    ipam: ipamSchema.parse(sections["ipam"] ?? {}),
    expectedMachines: expectedMachinesSchema.parse(sections["expectedMachines"] ?? []),
  };
}
