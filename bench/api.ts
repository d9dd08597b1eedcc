/** The API service beside its database: boot decisions and events over mTLS, as pxe-http and dhcpd ask and tell. */
import { join } from "node:path";
import { fleet } from "@firstlight/rack";
import { type Asker, deciding, openAsker, reporting } from "./api/asking.ts";
import { IPAM, promised } from "./api/promised.ts";
import type { Bench, Contender, Serving } from "./harness/contract.ts";
import { migrate, startDaemon, startDatabase, writeSite } from "./harness/firstlight.ts";

const MACHINES = 1000;
const LISTEN = "127.0.0.1:7879";
const HEALTH = "127.0.0.1:7979";

const askers = new WeakMap<Serving, Asker>();

const ours: Contender = {
  name: "firstlight",
  packages: [],
  async start(place) {
    await using parts = new AsyncDisposableStack();
    const database = parts.use(await startDatabase(place));
    const sections = {
      apiEndpoint: LISTEN,
      api: { listen: LISTEN, health: HEALTH },
      ipam: IPAM,
      expectedMachines: fleet(MACHINES),
    };
    const site = await writeSite(place, sections, database);
    await migrate(place, site);
    const api = parts.use(await startDaemon("api", place, site, HEALTH));
    const leases = await promised(database.url, MACHINES);
    const asker = parts.use(openAsker(LISTEN, join(place.folder, "state", "trust"), leases));
    const owned = parts.move();
    const serving: Serving = {
      pids: () => [api.pid, database.pid],
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
    askers.set(serving, asker);
    return serving;
  },
};

const VARIANTS = { decisions: deciding, events: reporting } as const;

export const bench: Bench = {
  name: "api",
  operation: "one boot decision; one event on record, in batches of 100",
  rounds: 3,
  variants: Object.keys(VARIANTS),
  packages: [],
  contenders: [ours],
  load: (serving, _contender, _place, variant) => VARIANTS[variant as keyof typeof VARIANTS](askers.get(serving)!),
};
