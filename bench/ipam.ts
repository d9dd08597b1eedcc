/**
 * The IPAM without daemons: the cost of a lease in the database, of an allocation, and of a replica with a million interfaces.
 * IPAM_INTERFACES (default 1000000) is the number of interfaces; IPAM_VARIANTS (`replica load,replica snapshot`) selects variants
 * and their order.
 */
import type { Bench, Contender, Sample, RunningServer } from "./harness/contract.ts";
import { startDatabase } from "./harness/firstlight.ts";
import { measureAllocation, PREFIXES } from "./ipam/allocate.ts";
import { measureChanges } from "./ipam/apply-changes.ts";
import { measureCommits } from "./ipam/commit-leases.ts";
import { fillDatabase } from "./ipam/fill-database.ts";
import { HOLDINGS } from "./ipam/holdings.ts";
import { measureHolding, measureLoad, measureRestore } from "./ipam/load-replica.ts";
import { measureResourcePools } from "./ipam/resource-pools.ts";

const INTERFACES = Number(process.env["IPAM_INTERFACES"] ?? 1_000_000);

/** The variants share one database and run in this order; the replica's come last, because `replica load` fills the tables. */
const VARIANTS: Readonly<Record<string, (context: VariantContext) => Promise<Sample>>> = {
  ...Object.fromEntries(
    PREFIXES.map((prefix) => [`allocate /${prefix.length}`, async () => measureAllocation(prefix)]),
  ),
  "bind new": ({ url }) => measureCommits(url, "new"),
  renew: ({ url }) => measureCommits(url, "renew"),
  "pool values": ({ url }) => measureResourcePools(url),
  "replica load": async ({ url, folder }) => {
    await fillDatabase(url, INTERFACES);
    return measureLoad(url, folder);
  },
  "replica snapshot": ({ folder }) => measureRestore(folder),
  "replica changes": ({ url, folder }) => measureChanges(url, folder),
  ...Object.fromEntries(
    Object.keys(HOLDINGS).map((daemon) => [
      `replica of ${daemon}`,
      ({ url, folder }: VariantContext) => measureHolding(url, folder, daemon),
    ]),
  ),
};

const selected = process.env["IPAM_VARIANTS"]?.split(",").filter((name) => name in VARIANTS);

/** The database and the folder of a variant. */
export interface VariantContext {
  readonly url: string;
  readonly folder: string;
}

const urls = new WeakMap<RunningServer, string>();

const ours: Contender = {
  name: "firstlight",
  packages: [],
  async start(placement) {
    const database = await startDatabase(placement);
    const server: RunningServer = {
      pids: () => [database.pid],
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    };
    urls.set(server, database.url);
    return server;
  },
};

export const bench: Bench = {
  name: "ipam",
  operation:
    "allocate: one address found in memory; bind, renew: one lease on disk; pool: one value taken and given back; replica: one row held",
  rounds: 1,
  variants: selected ?? Object.keys(VARIANTS),
  packages: [],
  contenders: [ours],
  load: (server, _contender, { folder }, variant = "") => VARIANTS[variant]!({ url: urls.get(server)!, folder }),
};
