import type { Interface, Lease } from "../model/model.ts";

/** Kinds with up to a million rows: loaded as PostgreSQL's binary tuples, not as objects. */
export type Bulk = "interface" | "lease";

/**
 * The columns of a tuple, in order, each with its binary type (`format binary` of COPY). A newer column without a line here
 * arrives in `more`, as JSON by name.
 */
export const COLUMNS = {
  interface: {
    id: "integer",
    segment: "integer",
    mac: "macaddr",
    identity: "text",
    role: "text",
    machine: "text",
    label: "text",
    identified_by: "text",
    state: "text",
    version: "bigint",
    more: "text",
  },
  lease: {
    vrf: "text",
    address: "inet",
    segment: "integer",
    interface: "integer",
    mac: "macaddr",
    identity: "text",
    iaid: "bigint",
    policy: "text",
    state: "text",
    starts_at: "timestamptz",
    expires_at: "timestamptz",
    reusable_at: "timestamptz",
    client_id: "bytea",
    giaddr: "inet",
    circuit_id: "bytea",
    remote_id: "bytea",
    version: "bigint",
    more: "text",
  },
} as const;

/** Columns that are not loaded. */
export const UNREAD: Readonly<Record<Bulk, readonly string[]>> = {
  interface: ["domain"], // the segment's, repeated for a constraint
  lease: [],
};

/** Fields of a row that a tuple holds. */
const FIELDS: Readonly<Record<Bulk, ReadonlySet<string>>> = {
  interface: new Set<keyof Interface>([
    "kind", "id", "segment", "identity", "role", "machine", "label", "identifiedBy", "state", "version",
  ]), // prettier-ignore
  lease: new Set<keyof Lease>([
    "kind", "vrf", "address", "prefixLength", "segment", "interface", "identity", "iaid", "policy", "state", "startsAt", "expiresAt", "reusableAt",
    "clientId", "relay", "version",
  ]), // prettier-ignore
};
const RELAY_FIELDS = new Set<string>(["giaddr", "circuitId", "remoteId"]);

/** Whether a tuple can hold the whole row: a field of a later version has no column. */
export function isPlain(row: Interface | Lease): boolean {
  const fields = FIELDS[row.kind];
  for (const field in row) if (!fields.has(field)) return false;
  if (row.kind === "lease" && row.relay) for (const field in row.relay) if (!RELAY_FIELDS.has(field)) return false;
  return true;
}

type Places<C> = { readonly [K in keyof C]: number };

/** The field number of each column. */
export const INTERFACE: Places<(typeof COLUMNS)["interface"]> = places(COLUMNS.interface);
export const LEASE: Places<(typeof COLUMNS)["lease"]> = places(COLUMNS.lease);

function places<C extends object>(columns: C): Places<C> {
  return Object.fromEntries(Object.keys(columns).map((name, n) => [name, n])) as Places<C>;
}
