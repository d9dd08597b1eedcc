import { macOf, type Replica } from "@firstlight/ipam";
import { type Address, formatAddress, formatMac, isMalformed, parseAddress } from "@firstlight/wire";
import { type Refused, refused } from "./reasons.ts";

/** The machine that sends a request, as the network proves it; nothing in the request counts. */
export interface Requester {
  readonly is: "requester";
  readonly address: string;
  readonly mac: string;
  /** The host label the IPAM gives the interface, where it has one of its own. */
  readonly label?: string;
}

/**
 * The machine behind the source address of a connection: the interface that the address is leased to. An expired lease
 * still binds until the address may go to another, since dhcpd renews without writing while the database is away;
 * a referenced interface never loses its own.
 */
export function requesterAt(
  replica: Pick<Replica, "lease" | "interfaceById" | "databaseNow">,
  source: Address,
  vrf: string,
): Requester | Refused {
  const lease = replica.lease(source, vrf);
  const address = formatAddress(source);
  if (!lease) return refused("no-lease", address);
  if (lease.state !== "bound") return refused("address-given-back", address);
  const known = replica.interfaceById(lease.interface);
  const isKept = known?.machine !== undefined || lease.policy === "fixed";
  if (!isKept && replica.databaseNow() >= lease.reusableAt) return refused("lease-over", address);
  const mac = macOf(lease.identity);
  if (mac === undefined) return refused("lease-without-mac", address);
  return {
    is: "requester",
    address,
    mac: formatMac(mac),
    ...(known?.label !== undefined && { label: known.label }),
  };
}

/** The source of a connection, which a socket on `[::]` reports as an IPv4-mapped address. */
export function sourceOf(remoteAddress: string | undefined): Address | undefined {
  const address = parseAddress((remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, ""));
  return isMalformed(address) ? undefined : address;
}
