import { ipamSchema } from "@firstlight/ipam";
import { createStore } from "@firstlight/ipam/store";
import { fleet } from "@firstlight/rack";
import { formatIPv4, isMalformed, parseMac } from "@firstlight/wire";

/** A machine's host as the network proved it: the API decides for nobody else. */
export interface Promised {
  readonly mac: string;
  readonly address: string;
}

export const IPAM = {
  domains: [{ name: "bench.internal" }],
  segments: [{ name: "bench", domain: "bench.internal", prefixes: [{ prefix: "10.0.0.0/16" }] }],
};
const FIRST_ADDRESS = 0x0a00_0010;

/** Binds an address for every machine's host. */
export async function promised(url: string, machines: number): Promise<Promised[]> {
  await using store = createStore({ url, name: "bench" });
  const { segments } = await store.declare({ ipam: ipamSchema.parse(IPAM), expectedMachines: [] }, "bench");
  const hosts = fleet(machines).map(({ interfaces }) => interfaces.find(({ role }) => role === "host")!.mac);
  const outcomes = await store.commit(
    hosts.map((mac, n) => ({
      do: "bind",
      segment: segments[0]!.id,
      identity: numberOf(mac),
      address: FIRST_ADDRESS + n,
      leaseSeconds: 86_400,
    })),
    "bench",
  );
  const refused = outcomes.find(({ is }) => is !== "bound");
  if (refused) throw new Error(JSON.stringify(refused));
  return hosts.map((mac, n) => ({ mac, address: formatIPv4(FIRST_ADDRESS + n) }));
}

function numberOf(text: string): number {
  const mac = parseMac(text);
  if (isMalformed(mac)) throw new Error(mac.because);
  return mac;
}
