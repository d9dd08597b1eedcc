import type { Interface, Lease, Replica } from "@firstlight/ipam";
import type { Store } from "@firstlight/ipam/store";
import { formatAddress, formatMac, isMalformed, type Mac, parseMac } from "@firstlight/wire";
import type { Expected } from "../machine/expected.ts";

/** What the API asks the IPAM about one MAC. */
export interface Site {
  /** Whether the network has given this address to this MAC: by the replica, or by the database where the replica lags. */
  holds(mac: string, address: string): Promise<boolean>;
  readonly expected: (mac: string) => Expected | undefined;
  /** Where a MAC is now: an interface with an address before one without. */
  whereabouts(mac: string): Whereabouts | undefined;
}

export interface Whereabouts {
  readonly interface: Interface;
  readonly segment: string;
  readonly lease?: Lease;
}

export function createSite(replica: Replica, store: Pick<Store, "lookup">): Site {
  const leasesOf = (mac: Mac): Lease[] =>
    replica.interfacesOf(mac).flatMap(({ id }) => [replica.leaseOf(id, 4) ?? [], replica.leaseOf(id, 6) ?? []].flat());

  return {
    async holds(mac, address) {
      const key = numberOf(mac);
      if (isHeld(leasesOf(key), address)) return true;
      const { interfaces, leases } = await store.lookup(key);
      replica.learn([...interfaces, ...leases]); // the feed is on its way with the same
      return isHeld(leases, address);
    },
    expected(mac) {
      const device = replica.expected(numberOf(mac));
      return (
        device && {
          mac,
          machine: device.machine,
          role: device.role,
          ...(device.serial !== undefined && { serial: device.serial }),
        }
      );
    },
    whereabouts(mac) {
      const all = replica.interfacesOf(numberOf(mac)).map((one): Whereabouts => {
        const lease = replica.leaseOf(one.id, 4) ?? replica.leaseOf(one.id, 6);
        return {
          interface: one,
          segment: replica.segment(one.segment)?.name ?? "",
          ...(lease?.state === "bound" && { lease }),
        };
      });
      return all.find(({ lease }) => lease) ?? all.find((one) => one.interface.state !== "away") ?? all[0];
    },
  };
}

function isHeld(leases: readonly Lease[], address: string): boolean {
  return leases.some((lease) => lease.state === "bound" && formatAddress(lease.address) === address);
}

function numberOf(mac: string): Mac {
  const number = parseMac(mac);
  return isMalformed(number) ? -1 : number;
}

/** A device of the feed's expected list as the roster wants it. */
export function expectedFrom({
  mac,
  machine,
  role,
  serial,
}: {
  mac: Mac;
  machine: string;
  role: Expected["role"];
  serial?: string;
}): Expected {
  return { mac: formatMac(mac), machine, role, ...(serial !== undefined && { serial }) };
}
