import type { Site } from "./site.ts";

/** What a scenario works with: the running lab, and a folder of its own whose content is kept when it fails. */
export interface Bench {
  readonly site: Site;
  readonly folder: string;
  /** Where prepared disks are kept between runs. */
  readonly cache: string;
}

/** A machine as `firstlight machines show --json` prints it. */
export interface MachineJson {
  readonly state: string;
  readonly interfaces: readonly { readonly mac: string; readonly address: string; readonly fqdn: string }[];
}

export interface Scenario {
  readonly name: string;
  /** Runs in the short form, for CI. */
  readonly short: boolean;
  /** Machine the site's file expects for it, if any. */
  readonly expects?: { readonly name: string; readonly mac: string };
  /** Resolves when everything showed; rejects with the reason. */
  run(bench: Bench): Promise<void>;
}
