import type { ClientIdentity, RelayInfo } from "../model/identity.ts";
import type { Interface, Lease } from "../model/model.ts";
import { type Json, rowFrom } from "../database/rows.ts";
import { type Bulk, INTERFACE, LEASE } from "./columns.ts";
import type { Tuple } from "./tuple.ts";

/** The row in a tuple, in the feed's form. */
export function rowOf(kind: Bulk, tuple: Tuple): Interface | Lease {
  return kind === "interface" ? interfaceOf(tuple) : leaseOf(tuple);
}

function interfaceOf(tuple: Tuple): Interface {
  return {
    kind: "interface",
    id: tuple.int32(INTERFACE.id),
    segment: tuple.int32(INTERFACE.segment),
    identity: identityIn(tuple, INTERFACE),
    role: tuple.text(INTERFACE.role) as Interface["role"],
    ...(tuple.has(INTERFACE.machine) && { machine: tuple.text(INTERFACE.machine) }),
    ...(tuple.has(INTERFACE.label) && { label: tuple.text(INTERFACE.label) }),
    identifiedBy: tuple.text(INTERFACE.identified_by) as Interface["identifiedBy"],
    ...(tuple.has(INTERFACE.state) && { state: tuple.text(INTERFACE.state) as NonNullable<Interface["state"]> }),
    version: tuple.int64(INTERFACE.version),
    ...(tuple.has(INTERFACE.more) && more("interface", tuple.text(INTERFACE.more))),
  };
}

function leaseOf(tuple: Tuple): Lease {
  return {
    kind: "lease",
    vrf: tuple.text(LEASE.vrf),
    address: tuple.address(LEASE.address),
    ...prefixLengthIn(tuple),
    segment: tuple.int32(LEASE.segment),
    interface: tuple.int32(LEASE.interface),
    identity: identityIn(tuple, LEASE),
    ...(tuple.has(LEASE.iaid) && { iaid: tuple.int64(LEASE.iaid) }),
    policy: tuple.text(LEASE.policy) as Lease["policy"],
    state: tuple.text(LEASE.state) as Lease["state"],
    startsAt: tuple.time(LEASE.starts_at),
    expiresAt: tuple.time(LEASE.expires_at),
    reusableAt: tuple.time(LEASE.reusable_at),
    ...(tuple.has(LEASE.client_id) && { clientId: copyOf(tuple.bytes(LEASE.client_id)) }),
    ...(tuple.has(LEASE.giaddr) && { relay: relayOf(tuple) }),
    version: tuple.int64(LEASE.version),
    ...(tuple.has(LEASE.more) && more("lease", tuple.text(LEASE.more))),
  };
}

/** A MAC, or the text of another identity. */
function identityIn(
  tuple: Tuple,
  { mac, identity }: { readonly mac: number; readonly identity: number },
): ClientIdentity {
  return tuple.has(mac) ? tuple.mac(mac) : (tuple.text(identity) as ClientIdentity);
}

/** A delegated prefix is an `inet` with a mask shorter than the address. */
function prefixLengthIn(tuple: Tuple): Pick<Lease, "prefixLength"> {
  const prefixLength = tuple.maskLength(LEASE.address);
  return prefixLength === undefined ? {} : { prefixLength };
}

function relayOf(tuple: Tuple): RelayInfo {
  return {
    giaddr: tuple.address(LEASE.giaddr),
    ...(tuple.has(LEASE.circuit_id) && { circuitId: copyOf(tuple.bytes(LEASE.circuit_id)) }),
    ...(tuple.has(LEASE.remote_id) && { remoteId: copyOf(tuple.bytes(LEASE.remote_id)) }),
  };
}

/** Columns of a later schema, under their field names. */
function more(kind: Bulk, json: string): object {
  const { kind: _, ...fields } = rowFrom(kind, JSON.parse(json) as Json);
  return fields;
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}
