import { ipamSchema } from "@firstlight/ipam";
import { createStore } from "@firstlight/ipam/store";
import { fleet } from "@firstlight/rack";
import { formatIPv4, isMalformed, parseMac } from "@firstlight/wire";

/** A host with a lease. The API decides only for hosts whose lease proves their address. */
export interface LeasedHost {
  readonly mac: string;
  readonly address: string;
}

/** The site's IPAM section: one domain, one segment. */
export const IPAM = {
  domains: [{ name: "bench.internal" }],
  segments: [{ name: "bench", domain: "bench.internal", prefixes: [{ prefix: "10.0.0.0/16" }] }],
};
const FIRST_ADDRESS = 0x0a00_0010;

/** Gives the host of each machine a lease. Throws where the IPAM refuses one. */
export async function leaseHosts(url: string, machines: number): Promise<LeasedHost[]> {
  await using store = createStore({ url, name: "bench" });
  const { segments } = await store.declare({ ipam: ipamSchema.parse(IPAM), expectedMachines: [] }, "bench");
  const hosts = fleet(machines).map(({ interfaces }) => interfaces.find(({ role }) => role === "host")!.mac);
  const outcomes = await store.commit(
    hosts.map((mac, n) => ({
      do: "bind",
      segment: segments[0]!.id,
      identity: macOf(mac),
      address: FIRST_ADDRESS + n,
      leaseSeconds: 86_400,
    })),
    "bench",
  );
  const refused = outcomes.find(({ is }) => is !== "bound");
  if (refused) throw new Error(`a lease was refused: ${JSON.stringify(refused)}`);
  return hosts.map((mac, n) => ({ mac, address: formatIPv4(FIRST_ADDRESS + n) }));
}

function macOf(text: string): number {
  const mac = parseMac(text);
  if (isMalformed(mac)) throw new Error(mac.because);
  return mac;
}
