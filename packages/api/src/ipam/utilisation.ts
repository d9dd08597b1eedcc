import type { Use, Utilisation } from "@firstlight/ipam";
import type { History } from "@firstlight/ipam/ops";
import { Gauge, type Registry } from "prom-client";

/** How long a scrape reuses the last answer: the trend reads thousands of samples. */
const FRESH_MS = 30_000;
const labels = ({ segment, vrf, prefix }: Utilisation) => ({ segment, vrf, prefix });
const PARTS = ["assignable", "bound", "kept", "resting", "idle"] as const satisfies readonly (keyof Use)[];

/** The fill level of each prefix and the days until it is full, read from the database at a scrape. */
export function utilisationMetrics(registry: Registry, history: History, trendDays: number, now: () => number): void {
  let last: { readonly at: number; readonly told: Promise<readonly Utilisation[]> } | undefined;
  const ask = (): Promise<readonly Utilisation[]> => {
    if (!last || now() - last.at >= FRESH_MS) {
      last = { at: now(), told: history.utilisation(trendDays).catch(() => []) }; // no value without the database
    }
    return last.told;
  };
  const addresses = new Gauge({
    name: "firstlight_prefix_addresses",
    help: "Addresses of a prefix by what they are",
    labelNames: ["segment", "vrf", "prefix", "is"],
    registers: [],
    async collect() {
      const all = await ask();
      this.reset();
      for (const one of all) for (const is of PARTS) this.set({ ...labels(one), is }, one[is]);
    },
  });
  const days = new Gauge({
    name: "firstlight_prefix_days_to_exhaustion",
    help: "Days until a prefix is full if it goes on like this",
    labelNames: ["segment", "vrf", "prefix"],
    registers: [],
    async collect() {
      const all = await ask();
      this.reset();
      for (const one of all) if (one.daysToExhaustion !== undefined) this.set(labels(one), one.daysToExhaustion);
    },
  });
  const pools = new Gauge({
    name: "firstlight_pool_addresses",
    help: "Addresses of one pool of a prefix by what they are",
    labelNames: ["segment", "vrf", "prefix", "pool", "is"],
    registers: [],
    async collect() {
      const all = await ask();
      this.reset();
      for (const one of all)
        for (const use of one.pools ?? [])
          for (const is of PARTS) this.set({ ...labels(one), pool: `${use.from}-${use.to}`, is }, use[is]);
    },
  });
  const draining = new Gauge({
    name: "firstlight_prefix_drain_remainder",
    help: "Addresses that still stand in the way of a drain's end, promised or reserved",
    labelNames: ["segment", "vrf", "prefix"],
    registers: [],
    async collect() {
      const all = await ask();
      this.reset();
      for (const one of all) if (one.remainder !== undefined) this.set(labels(one), one.remainder);
    },
  });
  registry.registerMetric(addresses);
  registry.registerMetric(pools);
  registry.registerMetric(draining);
  registry.registerMetric(days);
}
