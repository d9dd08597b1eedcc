import type { Site } from "./site.ts";

/** What a scenario gets: the running site, and a folder that is kept when the scenario fails. */
export interface ScenarioContext {
  readonly site: Site;
  readonly folder: string;
  /** Folder where prepared disks are kept between runs. */
  readonly cache: string;
}

/** A machine as `firstlight machines show --json` prints it. */
export interface MachineJson {
  readonly state: string;
  readonly interfaces: readonly { readonly mac: string; readonly address: string; readonly fqdn: string }[];
}

/** One scenario of the suite. */
export interface Scenario {
  readonly name: string;
  /** Whether it runs with `--short`, as in CI. */
  readonly short: boolean;
  /** The expected machine that the site's file declares for it. */
  readonly expects?: { readonly name: string; readonly mac: string };
  /** Resolves when all checks passed; rejects with the first that failed. */
  run(context: ScenarioContext): Promise<void>;
}
