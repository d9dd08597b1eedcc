/** What a refused edit's reason says. */
interface EditReasonRow {
  /** What is wrong. `{name}` stands for a fact of the case. */
  readonly sentence: string;
  readonly remedy: string;
  /** The gRPC status. */
  readonly answers: "FAILED_PRECONDITION" | "NOT_FOUND";
  /** The column of a sheet that is at fault; absent: that of the kind of sheet. */
  readonly column?: string;
}

const row = (sentence: string, remedy: string, column?: string): EditReasonRow => ({
  sentence,
  remedy,
  answers: "FAILED_PRECONDITION",
  ...(column !== undefined && { column }),
});

const missing = (...texts: Parameters<typeof row>): EditReasonRow => ({ ...row(...texts), answers: "NOT_FOUND" });

/** Why an edit of the IPAM is refused, by code. */
export const EDIT_REASONS = {
  // What an edit names and is not there
  "segment-not-found": missing("there is no segment {segment}", "See firstlight segments list.", "segment"),
  "device-segment-not-found": missing(
    "expected device {mac}: there is no segment {segment}",
    "See firstlight segments list.",
    "segment",
  ),
  "domain-not-found": missing(
    "{subject}: there is no domain {domain}",
    "Declare the domain in the site's file, or correct its name.",
    "domain",
  ),
  "domain-above-not-found": missing(
    "name {owner}: there is no domain above it",
    "Choose a name below a declared domain.",
    "domain",
  ),
  "prefix-not-found": missing("segment {segment} has no prefix {prefix}", "See firstlight segments list."),
  "reservation-not-found": missing(
    "segment {segment} has no reservation of {address}",
    "See firstlight reservations list.",
  ),
  "record-not-found": missing("there is no {type} record {owner}", "See firstlight names list."),
  "device-not-found": missing("device {mac} is not expected", "See firstlight devices list."),
  "interface-not-found": missing("segment {segment} has no interface {identity}", "See firstlight interfaces list."),
  "pool-not-found": missing("there is no pool {pool}", "See firstlight pools list."),
  "relay-outside-prefixes": row(
    "no prefix of vrf {vrf} holds relay {relay}",
    "Name the segment, or add a prefix that holds the relay's address.",
  ),
  // Segments and prefixes
  "segment-exists": row("segment {segment} exists already", "Choose another name, or update the segment."),
  "segment-in-use": row(
    "segment {segment}: in use by {addresses}",
    "Drain it, and wait until its leases and their grace have ended.",
  ),
  "device-awaited": row(
    "segment {segment}: expected device {mac} is to appear there",
    "Expect the device elsewhere, or not at all.",
  ),
  "edit-orphans": row(
    "segment {segment}: the edit would orphan {addresses}",
    "Keep a prefix for these addresses, or drain their prefix first.",
  ),
  "edit-leaves-pool": row(
    "segment {segment}: the edit would leave {address} (bound to {mac}, {role}) outside the pools of its role",
    "Keep the address in a pool of its role, or drain the prefix first.",
    "pools",
  ),
  "prefix-overlaps": row(
    "segment {segment}: prefix {prefix} overlaps {other} of segment {holder} in vrf {vrf}",
    "Choose another prefix, or another vrf.",
  ),
  "prefixes-overlap": row("prefixes overlap in one vrf: {row}", "Choose another prefix, or another vrf."),
  "gateway-outside-prefix": row(
    "a gateway must lie in its prefix: {row}",
    "Choose an address of the prefix.",
    "gateway",
  ),
  "reserved-beyond-prefix": row(
    "more addresses are reserved than the prefix has: {row}",
    "Reserve fewer addresses.",
    "reserved",
  ),
  "reserved-out-of-bounds": row("reserved must be 0 to 65536: {row}", "Correct the number.", "reserved"),
  "reserved-range-malformed": row(
    "prefix {prefix}: reserved range {range}: {fault}",
    "Write it as 10.0.0.50-10.0.0.99, one address, or a prefix.",
    "reservedRanges",
  ),
  "reserved-range-outside": row(
    "prefix {prefix}: reserved range {range} is not in it",
    "Choose a range of the prefix.",
    "reservedRanges",
  ),
  "role-pool-outside": row("prefix {prefix}: pool {range} is not in it", "Choose a range of the prefix.", "pools"),
  "role-pool-reversed": row("prefix {prefix}: pool {range} ends before it begins", "Swap its ends.", "pools"),
  "role-pool-overlaps": row("prefix {prefix}: pool {range} overlaps {other}", "Separate the two ranges.", "pools"),
  "lease-too-short": row("a lease lasts at least a second: {row}", "Raise leaseSeconds.", "leaseSeconds"),
  "grace-negative": row("grace is never negative: {row}", "Raise graceSeconds.", "graceSeconds"),
  "name-server-missing": row("a domain has at least one name server: {row}", "Name a name server.", "nameServers"),
  "value-malformed": row("{value}: {fault}", "Correct the value."),
  // Resource pools
  "pool-exhausted": row(
    "pool {pool} is exhausted: {count} of {count} values are given",
    "Widen the pool's ranges, or release a value.",
  ),
  "pool-value-free": row("pool {pool}: {value} is given to nobody", "None needed: nobody has the value."),
  "pool-value-given": row(
    "pool {pool}: {value} is given to {owner}",
    "Choose another value, or let its owner release it.",
    "ranges",
  ),
  "pool-value-outside": row("pool {pool}: {value} is not one of its values", "Choose a value of its ranges."),
  "pool-value-malformed": row("pool {pool}: {fault}", "Correct the value or the range.", "ranges"),
  "pool-owner-has-value": row(
    "pool {pool}: {owner} has {value} already",
    "Release that value first, or use another name for the second one.",
  ),
  "pool-kind-fixed": row(
    "pool {pool}: a pool stays what it is ({kind}): make another one",
    "Make a pool with another name.",
    "kind",
  ),
  "segment-number-refused": row(
    "segment {segment}: no {field}: {fault}",
    "Widen the pool's ranges, or choose another pool.",
  ),
  "segment-number-out-of-bounds": row(
    "segment {segment}: {field} {value} of pool {pool} is not {least} to {most}",
    "Exclude such values from the pool.",
  ),
  "segment-number-not-address": row(
    "segment {segment}: {field} {value} of pool {pool} is not an address",
    "Use a pool of addresses.",
  ),
  // Reservations, devices, names
  "address-not-of-segment": row(
    "segment {segment}: address {address} is not one the segment may give",
    "Choose an address of its prefixes that is neither reserved nor excluded.",
    "address",
  ),
  "address-reserved-for": row(
    "segment {segment}: address {address} is reserved for {holder}",
    "Choose another address, or delete that reservation.",
    "address",
  ),
  "address-declared-for": row(
    "segment {segment}: address {address} is declared for {holder}",
    "Choose another address, or change that device.",
    "address",
  ),
  "address-held-by": row(
    "segment {segment}: address {address} is held by {holder}",
    "Choose another address, or wait for the end of the lease.",
    "address",
  ),
  "device-written-twice": row("expected device {mac} is written twice", "Write each MAC once."),
  "label-declared-twice": row("label {label} is declared for {macs}", "Choose another label.", "label"),
  "address-declared-twice": row("address {address} is declared for {macs}", "Choose another address.", "address"),
  "device-address-held": row(
    "expected device {mac}: address {address} is held by {holder}",
    "Choose another address, or wait for the end of the lease.",
    "address",
  ),
  "device-address-not-assignable": row(
    "expected device {mac}: address {address} is gateway, reserved, excluded, network or broadcast of segment {segment}",
    "Choose another address.",
    "address",
  ),
  "name-not-in-domain": row("name {owner} is not in {domain}", "Choose a name below the domain."),
  "name-beside-cname": row(
    "name {owner} has {type} records: a CNAME stands alone",
    "Delete the other records, or choose another name.",
    "type",
  ),
} as const satisfies Readonly<Record<string, EditReasonRow>>;

export type EditReason = keyof typeof EDIT_REASONS;
