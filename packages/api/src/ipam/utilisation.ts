import type { Use, Utilisation } from "@firstlight/ipam";
import type { History } from "@firstlight/ipam/ops";
import { Gauge, type Registry } from "prom-client";

/** What a scrape was told is told to the next ones for so long: the trend is read from thousands of samples. */
const FRESH_MS = 30_000;
const labels = ({ segment, vrf, prefix }: Utilisation) => ({ segment, vrf, prefix });
const PARTS = ["assignable", "bound", "kept", "resting", "idle"] as const satisfies readonly (keyof Use)[];

/** How full each prefix is and in how many days it will be, asked of the database when scraped. */
export function utilisationMetrics(registry: Registry, history: History, trendDays: number, now: () => number): void {
  let last: { readonly at: number; readonly told: Promise<readonly Utilisation[]> } | undefined;
  const ask = (): Promise<readonly Utilisation[]> => {
    if (!last || now() - last.at >= FRESH_MS) {
      last = { at: now(), told: history.utilisation(trendDays).catch(() => []) }; // without the database there is no count
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
