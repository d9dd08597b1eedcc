import type { RackReport } from "@firstlight/rack";
import type { Sample } from "../harness/contract.ts";
import type { Counters } from "./counters.ts";
import type { ResourceUse } from "./progress.ts";
import type { StepLog } from "./steps.ts";

/** Everything that was measured in a storm. */
export interface StormMeasurement {
  readonly report: RackReport;
  readonly steps: StepLog;
  readonly used: ResourceUse;
  readonly counters: Counters;
  /** Transactions of the database during the storm. */
  readonly transactions: number;
  /** Every bound lease of the database. */
  readonly leases: readonly { readonly mac: string; readonly address: string }[];
  readonly memory: Readonly<Record<string, number>>;
}

/** The figures of a storm. One operation is a machine whose BMC has its name and whose DPU and host have their script. */
export function figuresOf({ report, steps, used, counters, transactions, leases, memory }: StormMeasurement): Sample {
  const acknowledged = report.machines.flatMap(({ interfaces }) =>
    interfaces.flatMap(({ mac, address }) => (address === undefined ? [] : [`${mac} ${address}`])),
  );
  const held = new Set(leases.map(({ mac, address }) => `${mac} ${address}`));
  const addresses = acknowledged.map((one) => one.split(" ")[1]);
  const duplicates = addresses.length - new Set(addresses).size;
  const lost = acknowledged.filter((one) => !held.has(one)).length;
  for (const [because, times] of [...steps.reasons].toSorted((a, b) => b[1] - a[1]).slice(0, 12))
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
      halfAckMs: steps.timeOfShare("dhcp.bound", 0.5),
      lastAckMs: steps.timeOfShare("dhcp.bound", 1),
      lastNameMs: steps.timeOfShare("dns.resolved", 1),
      halfScriptMs: steps.timeOfShare("ipxe.script", 0.5),
      lastScriptMs: steps.timeOfShare("ipxe.script", 1),
      acks: steps.count("dhcp.bound"),
      unanswered: steps.count("dhcp.note"),
      bootsBegunAgain: steps.count("boot.retry"),
      httpRetries: steps.count("http.retry"),
      duplicates,
      lost,
      leases: leases.length,
      transactions,
      transactionsPerAck: Number((transactions / Math.max(1, steps.count("dhcp.bound"))).toFixed(3)),
      leaseTransactions: counters.total("firstlight_dhcp_commit_batch_size_count"),
      leaseTransactionsPerAck: Number(
        (counters.total("firstlight_dhcp_commit_batch_size_count") / Math.max(1, steps.count("dhcp.bound"))).toFixed(4),
      ),
      eventsLost: counters.total("firstlight_events_dropped_total"),
      ...shares(used, report),
      loadBehindMs: Math.round(report.behindMs),
      loadTurnMs: Math.round(used.loadTurnMs),
      socketDrops: used.socketDrops,
      ...Object.fromEntries(Object.entries(used.cpu).map(([name, s]) => [`${name}CpuSeconds`, Number(s.toFixed(1))])),
      ...Object.fromEntries(Object.entries(memory).map(([name, bytes]) => [`${name}MiB`, Math.round(bytes / 2 ** 20)])),
    },
  };
}

/** If the load reads an answer later than this, it does not behave like machines: firmware retransmits after four seconds. */
const MAX_BEHIND_MS = 2000;

/** The share of its core that each side used. The busier side is the limit; where that is the load, the servers could do more. */
function shares(
  { cpu }: ResourceUse,
  { ms, behindMs }: RackReport,
): { readonly loadShare: number; readonly serverShare: number } {
  const { load = 0, ...servers } = cpu;
  const server = Object.values(servers).reduce((sum, one) => sum + one, 0);
  const share = (cpuSeconds: number): number => Number((cpuSeconds / Math.max(ms / 1000, 1)).toFixed(2));
  const isLoad = load > server || behindMs > MAX_BEHIND_MS;
  const limit = isLoad
    ? "THE LOAD IS THE LIMIT: a faster load would give a shorter storm"
    : "the servers are the limit";
  const behind = `the load read its answers at most ${(behindMs / 1000).toFixed(1)} s late`;
  console.log(`  load ${share(load)} of its core, servers ${share(server)} of theirs, ${behind}: ${limit}`);
  return { loadShare: share(load), serverShare: share(server) };
}
