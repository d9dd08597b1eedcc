/** dhcpd on a loopback socket over a real store, replica and sequencer on PostgreSQL; the API is the kit's. */
import { ipamSchema } from "@firstlight/ipam";
import { createReplica, PgSource } from "@firstlight/ipam/replica";
import { createStore, startSequencer, type Store } from "@firstlight/ipam/store";
import { FakeApi, FakeReporter } from "@firstlight/kit";
import { splitEndpoint, systemClock } from "@firstlight/service";
import { Registry } from "prom-client";
import { dhcpdSchema, startDhcpd } from "@firstlight/dhcpd";
import { ip } from "@firstlight/kit/dhcp4";
import { openRelay } from "./lab.ts";

const SEGMENT = { name: "rack", domain: "lab.test", prefixes: [{ prefix: "127.64.0.0/24", gateway: "127.64.0.1" }] };

/** `writes`: how dhcpd reaches the database to commit, where that is another line than everybody's. */
export async function realLab(url: string, { writes = url, config = {} }: { writes?: string; config?: object } = {}) {
  await using parts = new AsyncDisposableStack();
  const near: Store = parts.use(createStore({ url, name: "near" }));
  await near.declare(
    { ipam: ipamSchema.parse({ domains: [{ name: "lab.test" }], segments: [SEGMENT] }), expectedMachines: [] },
    "config",
  );
  const store = parts.use(createStore({ url: writes, name: "dhcpd" }));
  const lab = { sequencer: startSequencer({ url, name: "api", candidacyMs: 20, pollMs: 10 }) };
  parts.defer(() => lab.sequencer[Symbol.asyncDispose]());
  const following = parts.use(
    await createReplica(parts.use(new PgSource({ url, name: "dhcpd" })), systemClock, {
      pollMs: 10,
      backoff: { baseMs: 5, maxMs: 20 },
    }),
  );
  const { replica } = following;
  const [api, reporter] = [new FakeApi(), new FakeReporter()];
  const running = await startDhcpd(
    {
      config: dhcpdSchema.parse({ listen: [{ address: "127.0.0.1:0" }], engine: "dgram", ...config }),
      log: { debug() {}, info() {}, warn() {} },
      metrics: new Registry(),
      clock: systemClock,
    },
    { store, replica, api, reporter, ready: () => following.ready() },
  );
  parts.defer(() => running.stop());
  const server = { address: ip("127.0.0.1"), port: splitEndpoint(running.endpoints["udp"]!).port };
  const relay = parts.use(await openRelay(server));
  const owned = parts.move();
  return Object.assign(lab, { near, replica, api, reporter, relay, [Symbol.asyncDispose]: () => owned.disposeAsync() });
}

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2));
}
