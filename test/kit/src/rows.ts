import {
  type ClientIdentity,
  type Domain,
  type ExpectedDevice,
  type Interface,
  type Lease,
  type Name,
  type PrefixRow,
  readIdentity,
  type Reservation,
  type Segment,
} from "@firstlight/ipam";
import {
  type Address,
  type Mac,
  parseAddress,
  parseMac,
  parsePrefix,
  type Prefix,
  assertParsed,
} from "@firstlight/wire";
import { CLOCK_START } from "./clock.ts";

/** Fields of a row, all optional. Addresses, MACs, identities and prefixes may be text. */
type Texts<R> = {
  [K in keyof R]?:
    | R[K]
    | (K extends "identity"
        ? string
        : R[K] extends Address | undefined
          ? string
          : R[K] extends Prefix
            ? string
            : never);
};

/** The values that rows have by default. */
export const LAB = {
  domain: "lab.test",
  prefix: "127.64.0.0/24",
  gateway: "127.64.0.1",
  mac: "02:f1:00:00:00:01",
} as const;

const HOUR = 3_600_000;

export function domain(row: Partial<Domain> = {}): Domain {
  return {
    kind: "domain",
    id: 1,
    version: 1,
    name: LAB.domain,
    nameServers: ["ns1"],
    ttlSeconds: 60,
    negativeTtlSeconds: 5,
    ...row,
  };
}

export function segment(row: Partial<Segment> = {}): Segment {
  return {
    kind: "segment",
    id: 1,
    version: 1,
    name: "rack",
    is: "underlay",
    domain: 1,
    vrf: "default",
    mtu: 1500,
    leaseSeconds: 3600,
    graceSeconds: 86_400,
    admission: "open",
    allocation: "dynamic",
    policy: "dynamic",
    naming: "address",
    options: {},
    boots: true,
    ...row,
  };
}

/** `prefix({ prefix: "10.0.0.0/24", gateway: "10.0.0.1" })`; a prefix other than the lab's has no gateway unless one is given. */
export function prefix(
  row: Omit<Texts<PrefixRow>, "excluded"> & { excluded?: readonly (Address | string)[] } = {},
): PrefixRow {
  const {
    prefix: of = LAB.prefix,
    excluded = [],
    gateway = row.prefix === undefined ? LAB.gateway : undefined,
    ...rest
  } = row;
  return {
    kind: "prefix",
    id: 1,
    version: 1,
    segment: 1,
    vrf: "default",
    reserved: 1,
    ...(rest as Partial<PrefixRow>),
    prefix: readPrefix(of),
    excluded: excluded.map(readAddress),
    ...(gateway === undefined ? {} : { gateway: readAddress(gateway) }),
  };
}

export function iface(row: Texts<Interface> = {}): Interface {
  return {
    kind: "interface",
    id: 1,
    version: 1,
    segment: 1,
    role: "host",
    identifiedBy: "lease",
    ...(row as Partial<Interface>),
    identity: readClient(row.identity ?? LAB.mac),
  };
}

/** A lease of interface 1, bound at `CLOCK_START` for an hour. */
export function lease(row: Texts<Lease> = {}): Lease {
  return {
    kind: "lease",
    version: 1,
    vrf: "default",
    segment: 1,
    interface: 1,
    policy: "dynamic",
    state: "bound",
    startsAt: CLOCK_START,
    expiresAt: CLOCK_START + HOUR,
    reusableAt: CLOCK_START + 25 * HOUR,
    ...(row as Partial<Lease>),
    address: readAddress(row.address ?? "127.64.0.12"),
    identity: readClient(row.identity ?? LAB.mac),
  };
}

export function expected(row: Texts<ExpectedDevice> = {}): ExpectedDevice {
  const { address, ...rest } = row;
  return {
    kind: "expected",
    version: 1,
    machine: "node-1",
    role: "host",
    label: "node-1",
    ...(rest as Partial<ExpectedDevice>),
    mac: readMac(row.mac ?? LAB.mac),
    ...(address === undefined ? {} : { address: readAddress(address) }),
  };
}

export function reservation(row: Texts<Reservation> = {}): Reservation {
  const { address = "127.64.0.90", ...rest } = row;
  return {
    kind: "reservation",
    id: 1,
    version: 1,
    segment: 1,
    vrf: "default",
    address: readAddress(address),
    identity: "client-id 01",
    origin: "declared",
    ...(rest as Partial<Reservation>),
  };
}

export function name(row: Partial<Name> = {}): Name {
  return {
    kind: "name",
    id: 1,
    version: 1,
    domain: 1,
    owner: `www.${LAB.domain}`,
    type: "A",
    data: "127.64.0.80",
    ttlSeconds: 60,
    ...row,
  };
}

/** An identity from text: a MAC, or `duid …` and `port …` as the model writes them. */
function readClient(identity: Mac | string): ClientIdentity {
  return typeof identity === "number" ? identity : (readIdentity(identity) ?? readMac(identity));
}

export function readAddress(text: Address | string): Address {
  return typeof text === "string" ? assertParsed(parseAddress(text), text) : text;
}

export function readMac(text: Mac | string): Mac {
  return typeof text === "string" ? assertParsed(parseMac(text), text) : text;
}

export function readPrefix(text: Prefix | string): Prefix {
  return typeof text === "string" ? assertParsed(parsePrefix(text), text) : text;
}
