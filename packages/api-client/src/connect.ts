import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { Context } from "@firstlight/service";
import type { Api, Reporter } from "./api.ts";
import { openSpoolFile } from "./spool-file.ts";
import { openChannel } from "./channel.ts";
import { createApi } from "./client.ts";
import { subjectOf } from "./identity.ts";
import { createReporter } from "./reporter.ts";

const LAST_FLUSH_MS = 1_500;

export interface Connected extends AsyncDisposable {
  readonly api: Api;
  readonly reporter: Reporter;
}

/** What a connection needs of a daemon's context. */
export type ClientContext = Pick<Context<unknown>, "site" | "credentials" | "clock" | "log" | "metrics" | "traces">;

/**
 * A daemon's connection to the API service, as whom its certificate says. The API may be away, now or later: then calls
 * fail fast and events wait. Disposing sends what it still can and keeps the rest in STATE/spool.
 */
export async function connectApi({ site, credentials, ...parts }: ClientContext): Promise<Connected> {
  const channel = openChannel({ address: site.apiEndpoint, site: site.site.name, credentials });
  const api = createApi(channel);
  const name = subjectOf(new X509Certificate(credentials.cert).subjectAltName)?.name ?? "daemon";
  const spoolFile = openSpoolFile(join(site.site.stateDir, "spool", `${name}.jsonl`));
  const reporter = await createReporter({ api, spoolFile, ...parts });
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
