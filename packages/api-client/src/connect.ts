import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { Context } from "@firstlight/service";
import type { Api, Reporter } from "./api.ts";
import { fileBacklog } from "./backlog.ts";
import { openChannel } from "./channel.ts";
import { createApi } from "./client.ts";
import { subjectOf } from "./identity.ts";
import { createReporter } from "./reporter.ts";

const LAST_FLUSH_MS = 1_500;

export interface Connected extends AsyncDisposable {
  readonly api: Api;
  readonly reporter: Reporter;
}

/**
 * A daemon's connection to the API service, as whom its certificate says. The API may be away, now or later: then calls
 * fail fast and events wait. Disposing sends what it still can and keeps the rest in STATE/spool.
 */
export async function connectApi(context: Context<unknown>): Promise<Connected> {
  const { site, credentials } = context;
  const channel = openChannel({ address: site.apiEndpoint, site: site.site.name, credentials });
  const api = createApi(channel);
  const name = subjectOf(new X509Certificate(credentials.cert).subjectAltName)?.name ?? "daemon";
  const backlog = fileBacklog(join(site.site.stateDir, "spool", `${name}.jsonl`));
  const reporter = await createReporter({ api, backlog, ...partsOf(context) });
  return {
    api,
    reporter,
    async [Symbol.asyncDispose]() {
      await reporter.flush(LAST_FLUSH_MS);
      await reporter[Symbol.asyncDispose]();
      channel.close();
    },
  };
}

function partsOf({ clock, log, metrics }: Context<unknown>) {
  return { clock, log, metrics };
}
