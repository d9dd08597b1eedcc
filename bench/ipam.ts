/**
 * The IPAM alone: what a lease costs the database, what a million interfaces cost a replica, what an allocation costs.
 * IPAM_INTERFACES (default 1000000) says how large the replica is; IPAM_VARIANTS ("replica load,replica snapshot") picks some,
 * in this order.
 */
import type { Bench, Contender, Sample, Serving } from "./harness/contract.ts";
import { startDatabase } from "./harness/firstlight.ts";
import { allocating, PREFIXES } from "./ipam/allocating.ts";
import { applying } from "./ipam/applying.ts";
import { committing } from "./ipam/committing.ts";
import { filled } from "./ipam/filled.ts";
import { HOLDINGS } from "./ipam/holdings.ts";
import { holding, loading, restoring } from "./ipam/loading.ts";
import { pooling } from "./ipam/pooling.ts";

const INTERFACES = Number(process.env["IPAM_INTERFACES"] ?? 1_000_000);

/** Each begins where the one before it ended: the replica's come last, on the tables that have been filled for them. */
const VARIANTS: Readonly<Record<string, (place: Ground) => Promise<Sample>>> = {
  ...Object.fromEntries(PREFIXES.map((prefix) => [`allocate /${prefix.length}`, async () => allocating(prefix)])),
  "bind new": ({ url }) => committing(url, "new"),
  renew: ({ url }) => committing(url, "renew"),
  "pool values": ({ url }) => pooling(url),
  "replica load": async ({ url, folder }) => {
    await filled(url, INTERFACES);
    return loading(url, folder);
  },
  "replica snapshot": ({ folder }) => restoring(folder),
  "replica changes": ({ url, folder }) => applying(url, folder),
  ...Object.fromEntries(
    Object.keys(HOLDINGS).map((daemon) => [
      `replica of ${daemon}`,
      ({ url, folder }: Ground) => holding(url, folder, daemon),
    ]),
  ),
};

const picked = process.env["IPAM_VARIANTS"]?.split(",").filter((name) => name in VARIANTS);

/** What a variant has: a database with its schema, and a folder. */
export interface Ground {
  readonly url: string;
  readonly folder: string;
}

const urls = new WeakMap<Serving, string>();

const ours: Contender = {
  name: "firstlight",
  packages: [],
  async start(place) {
    const database = await startDatabase(place);
    const serving: Serving = {
      pids: () => [database.pid],
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    };
    urls.set(serving, database.url);
    return serving;
  },
};

export const bench: Bench = {
  name: "ipam",
  operation:
    "allocate: one address found in memory; bind, renew: one lease on disk; pool: one value taken and given back; replica: one row held",
  rounds: 1,
  variants: picked ?? Object.keys(VARIANTS),
  packages: [],
  contenders: [ours],
  load: (serving, _contender, { folder }, variant = "") => VARIANTS[variant]!({ url: urls.get(serving)!, folder }),
};
