import type { Kind } from "../model/model.ts";

/** Indexes over kinds of which a site has up to a million rows. Every kind also has the index of its own key. */
export const INDEXES = [
  "interfaceByIdentity",
  "interfaceByLabel",
  "leaseByInterface",
  "nameByDomain",
  "nameByOwner",
] as const;
export type IndexName = (typeof INDEXES)[number];

/** What a replica holds: the kinds that it loads and follows, and the indexes that it builds over them. */
export interface Holding {
  readonly kinds: readonly Kind[];
  readonly indexes: readonly IndexName[];
}

/** Every kind, in the order of loading: a row's references come before it. */
export const KIND_NAMES = [
  "domain",
  "segment",
  "prefix",
  "expected",
  "reservation",
  "interface",
  "lease",
  "name",
] as const satisfies readonly Kind[];

/** The full set. */
export const EVERYTHING = { kinds: KIND_NAMES, indexes: INDEXES } as const satisfies Holding;

/** The kinds and indexes that each question of a replica needs. A replica that lacks one of them does not have the method. */
export const NEEDS = {
  segment: ["segment"],
  segments: ["segment"],
  segmentOf: ["segment", "prefix"],
  prefixes: ["prefix"],
  prefixOf: ["prefix"],
  domain: ["domain"],
  domainNamed: ["domain"],
  domains: ["domain"],
  interface: ["interface", "interfaceByIdentity"],
  interfaceById: ["interface"],
  interfacesOf: ["interface", "interfaceByIdentity"],
  labelled: ["interface", "interfaceByLabel"],
  expected: ["expected"],
  devicesOf: ["expected"],
  expectedDevices: ["expected"],
  lease: ["lease"],
  leaseOf: ["lease", "leaseByInterface"],
  delegatedTo: ["lease", "leaseByInterface"],
  leases: ["lease"],
  leasesAt: ["lease"],
  names: ["name", "nameByDomain"],
  namesAt: ["name", "nameByOwner"],
  reservations: ["reservation"],
  ordered: ["domain", "segment", "expected", "reservation", "interface", "lease", "name"],
  candidate: [
    "segment",
    "prefix",
    "expected",
    "reservation",
    "interface",
    "interfaceByIdentity",
    "lease",
    "leaseByInterface",
  ],
} as const satisfies Readonly<Record<string, readonly (Kind | IndexName)[]>>;
