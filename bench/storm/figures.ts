import type { RackReport } from "@firstlight/rack";
import type { Sample } from "../harness/contract.ts";
import type { Counters } from "./counters.ts";
import type { Spent } from "./pulse.ts";
import type { Watch } from "./watch.ts";

export interface Storm {
  readonly report: RackReport;
  readonly watch: Watch;
  readonly spent: Spent;
  readonly counters: Counters;
  /** Transactions of the database during the storm. */
  readonly transactions: number;
  /** What the database holds: address by MAC and the other way round would both be unique. */
  readonly leases: readonly { readonly mac: string; readonly address: string }[];
  readonly memory: Readonly<Record<string, number>>;
}

/** The storm in figures: an operation is a machine whose BMC has its name and whose DPU and host have their script. */
export function figuresOf({ report, watch, spent, counters, transactions, leases, memory }: Storm): Sample {
  const promised = report.machines.flatMap(({ interfaces }) =>
    interfaces.flatMap(({ mac, address }) => (address === undefined ? [] : [`${mac} ${address}`])),
  );
  const held = new Set(leases.map(({ mac, address }) => `${mac} ${address}`));
  const addresses = promised.map((one) => one.split(" ")[1]);
  const duplicates = addresses.length - new Set(addresses).size;
  const lost = promised.filter((one) => !held.has(one)).length;
  for (const [because, times] of [...watch.because].toSorted((a, b) => b[1] - a[1]).slice(0, 12))
    console.log(`  ${times} × ${because}`);
  for (const { interfaces } of report.machines.filter(({ done }) => !done).slice(0, 5))
    for (const { mac, role, hangsIn, because } of interfaces.filter(({ done }) => !done))
      console.log(`  not done: ${role} ${mac} in ${hangsIn}: ${because}`);
  return {
    operations: report.done,
    seconds: report.ms / 1000,
    failed: report.machines.length - report.done + duplicates + lost,
    extra: {
      machines: report.machines.length,
      halfAckMs: watch.share("dhcp.bound", 0.5),
      lastAckMs: watch.share("dhcp.bound", 1),
      lastNameMs: watch.share("dns.resolved", 1),
      halfScriptMs: watch.share("ipxe.script", 0.5),
      lastScriptMs: watch.share("ipxe.script", 1),
      acks: watch.count("dhcp.bound"),
      unanswered: watch.count("dhcp.note"),
      bootsBegunAgain: watch.count("boot.retry"),
      httpRetries: watch.count("http.retry"),
      duplicates,
      lost,
      leases: leases.length,
      transactions,
      transactionsPerAck: Number((transactions / Math.max(1, watch.count("dhcp.bound"))).toFixed(3)),
      leaseTransactions: counters.total("firstlight_dhcp_commit_batch_size_count"),
      leaseTransactionsPerAck: Number(
        (counters.total("firstlight_dhcp_commit_batch_size_count") / Math.max(1, watch.count("dhcp.bound"))).toFixed(4),
      ),
      eventsLost: counters.total("firstlight_events_dropped_total"),
      ...shares(spent, report),
      loadBehindMs: Math.round(report.behindMs),
      loadTurnMs: Math.round(spent.loadTurnMs),
      socketDrops: spent.socketDrops,
      ...Object.fromEntries(Object.entries(spent.cpu).map(([name, s]) => [`${name}CpuSeconds`, Number(s.toFixed(1))])),
      ...Object.fromEntries(Object.entries(memory).map(([name, bytes]) => [`${name}MiB`, Math.round(bytes / 2 ** 20)])),
    },
  };
}

/** A machine whose answer waits longer than this to be read is no machine any more: firmware repeats itself after four seconds. */
const MOST_BEHIND_MS = 2000;

/** How much of its core each side used. The busier one is the limit; where that is the load, the figures are its own. */
function shares(
  { cpu }: Spent,
  { ms, behindMs }: RackReport,
): { readonly loadShare: number; readonly serverShare: number } {
  const { load = 0, ...servers } = cpu;
  const server = Object.values(servers).reduce((sum, one) => sum + one, 0);
  const share = (used: number): number => Number((used / Math.max(ms / 1000, 1)).toFixed(2));
  const isLoad = load > server || behindMs > MOST_BEHIND_MS;
  const limit = isLoad ? "THE LOAD IS THE LIMIT, a faster one would show more" : "the servers are the limit";
  const behind = `the load read its answers at most ${(behindMs / 1000).toFixed(1)} s late`;
  console.log(`  load ${share(load)} of its core, servers ${share(server)} of theirs, ${behind}: ${limit}`);
  return { loadShare: share(load), serverShare: share(server) };
}
