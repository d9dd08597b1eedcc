/** The API service: gRPC with reflection over mTLS; the machines' lifecycle and timelines; addresses and names for operators. */
import { EVERYTHING, expectedMachinesSchema, ipamSchema, type SiteDeclaration } from "@firstlight/ipam";
import { openIpam } from "@firstlight/ipam/store";
import { type HistoryOptions, startHistory } from "@firstlight/ipam/ops";
import { type Context, type Daemon, closeAfterStop, type Running } from "@firstlight/service";
import { startApi } from "./api.ts";
import { type ApiConfig, apiSchema } from "./config.ts";
import { openPool } from "./database.ts";
import { keepingMetrics } from "./ipam/history-metrics.ts";

export { apiSchema } from "./config.ts";
export { migrateApi } from "./migrate.ts";

export const daemon: Daemon<typeof apiSchema> = { name: "api", section: "api", config: apiSchema, start };

async function start(context: Context<ApiConfig>): Promise<Running> {
  await using parts = new AsyncDisposableStack();
  const pool = openPool(context.site, (error) => context.log.warn({ error }, "a database connection broke"));
  parts.defer(() => pool.end());
  const ipam = parts.use(await openIpam({ context, holding: EVERYTHING, sequencer: true, ordered: true }));
  const running = await startApi(context, ipam, pool, declared(context)).catch(explain);
  parts.use(startHistory(historyOptions(context)));
  return closeAfterStop(parts, running);
}

/** Every API process can keep the history; as with the sequencer, one works at a time. */
function historyOptions({ config, site, log, metrics }: Context<ApiConfig>): HistoryOptions {
  const { sampleSeconds, reclaimPercent, strangerDays, trendDays: _, ...keep } = config.history;
  const { url, passwordFile } = site.database;
  const secret = passwordFile === undefined ? {} : { passwordFile };
  return {
    url: url!,
    ...secret,
    name: "api history",
    log,
    keep,
    sampleSeconds,
    reclaimPercent,
    strangerDays,
    ...keepingMetrics(metrics),
  };
}

/** The error with its remedy if the database was never migrated. */
function explain(error: unknown): never {
  const { code } = error as { code?: string };
  const isBare = code === "42P01" || code === "3F000"; // undefined_table, invalid_schema_name
  throw isBare ? new Error("the database is not migrated: run firstlight migrate", { cause: error }) : error;
}

/** The sections of the file that the API writes into the database. */
function declared({ sections }: Context<unknown>): SiteDeclaration {
  return {
    ipam: ipamSchema.parse(sections["ipam"] ?? {}),
    expectedMachines: expectedMachinesSchema.parse(sections["expectedMachines"] ?? []),
  };
}
