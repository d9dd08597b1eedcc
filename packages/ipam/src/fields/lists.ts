/** Closed lists of words, each written once: the types, the file's schema and the API's checks derive; a test holds SQL's checks to them. */

/** What an interface is of its machine. */
export const ROLES = ["host", "host_bmc", "dpu_bmc", "dpu_oob", "other"] as const;
export type Role = (typeof ROLES)[number];

export const SEGMENT_KINDS = ["underlay", "admin", "tenant", "host_inband"] as const;
export type SegmentKind = (typeof SEGMENT_KINDS)[number];

/** Types of declared DNS records. */
export const RECORD_TYPES = ["A", "AAAA", "CNAME", "TXT", "SRV", "PTR"] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

/**
 * How long an address stays its interface's. `dynamic`: while promised, and `graceSeconds` more. `fixed`: as long as it is
 * declared for it. `retained`: what it first got, while the interface exists. `preserved`: by MAC, also when the interface
 * is deleted and comes again.
 */
export const ADDRESS_POLICIES = ["dynamic", "fixed", "retained", "preserved"] as const;
export type AddressPolicy = (typeof ADDRESS_POLICIES)[number];

/** `draining` gives no new address, and lets its holders move on. */
export const DRAIN_STATES = ["active", "draining"] as const;
export type DrainState = (typeof DRAIN_STATES)[number];

/** `expected`: only devices of the expected list get an address. */
export const ADMISSIONS = ["open", "expected"] as const;

/** `dynamic`: placed by hash of the identity. `sequential`: lowest free. `reserved`: only declared addresses. */
export const ALLOCATIONS = ["dynamic", "sequential", "reserved"] as const;

/** What becomes of a promise here when its device appears on another segment. */
export const REHOMES = ["move", "keep", "refuse"] as const;

/** What the names of a segment's interfaces come from. */
export const NAMINGS = ["address", "mac", "serial", "machine", "declared"] as const;

/** How an interface became known: its device is expected, a lease was committed for it, or an operator declared it. */
export const IDENTIFICATIONS = ["expected", "lease", "declared"] as const;
export type Identification = (typeof IDENTIFICATIONS)[number];

/** `predicted`: not seen on its segment yet. `away`: its device lives on another segment now. */
export const INTERFACE_STATES = ["predicted", "away"] as const;

/** `promoted`: it had been predicted; `moved`: it left another segment; `alternates`: it is on both. */
export const RELOCATIONS = ["promoted", "moved", "alternates"] as const;
export type Relocation = (typeof RELOCATIONS)[number];

/** `bound`: promised; `released`: given back by its holder; `declined`: in use by an unknown device. */
export const LEASE_STATES = ["bound", "released", "declined"] as const;
