import { isMalformed } from "@firstlight/wire";
import { type DomainName, type NameText, parseName } from "@firstlight/wire/dns";
import type { Applied } from "../feed/feed.ts";
import type { Domain, Interface, Lease, PrefixRow, Row, Segment } from "../model/model.ts";
import { branchOf, hostName } from "./records.ts";
import type { Replica } from "../replica/replica.ts";
import { reverseName } from "./reverse.ts";

type Lookup = Pick<Replica, "interfaceById" | "leaseOf" | "segment" | "domain">;

/** The names that a batch of the feed may have changed. */
export type Affected =
  /** These owners may have changed: replace their records by `recordsAt(replica, owner)`. */
  | {
      readonly is: "owners";
      readonly owners: ReadonlySet<DomainName>;
      /** Declared owners that DNS cannot carry and that may have been added or removed: `refusalOf` gives the reason. */
      readonly refused: ReadonlySet<NameText>;
    }
  /** Zones were added or removed, or their defaults changed: rebuild from `zonesOf` and `allRecords`. */
  | { readonly is: "zones"; readonly because: string };

/**
 * The names that a batch may have changed, old names included. It needs no copy of all rows: the batch has each row as it was
 * before, the replica has it as it is now. The set may contain owners that did not change.
 */
export function affectedBy(replica: Lookup, changes: readonly Applied[]): Affected {
  const owners = new Set<DomainName>();
  const refused = new Set<NameText>();
  const before = new Map<number, Interface[]>(); // interfaces as they were when the batch began, and between
  for (const change of changes) {
    const row = change.is === "row" ? change.before : undefined;
    if (row?.kind === "interface") before.set(row.id, [...(before.get(row.id) ?? []), row]);
  }
  const versionsOf = (id: number): Interface[] => [...(before.get(id) ?? []), ...listOf(replica.interfaceById(id))];
  for (const change of changes) {
    if (change.is !== "row") continue; // events change no name
    if (change.kind === "lease" && !change.dns) continue; // a renewal: nearly all of a busy feed
    const rows = [...listOf(change.before), ...listOf(change.row)];
    if (REBUILDS[change.kind]?.(change.before, change.row))
      return { is: "zones", because: `${change.kind} ${change.key} changed` };
    for (const row of rows) {
      if (row.kind === "name") {
        const owner = parseName(row.owner);
        if (isMalformed(owner)) refused.add(row.owner);
        else owners.add(owner);
      }
      if (row.kind === "lease")
        for (const owner of ownersOf(replica, row, versionsOf(row.interface))) owners.add(owner);
      if (row.kind === "interface") {
        for (const lease of leasesOf(replica, row.id)) {
          for (const owner of ownersOf(replica, lease, versionsOf(row.id))) owners.add(owner);
        }
      }
    }
  }
  return { is: "owners", owners, refused };
}

/** Kinds whose edit may change a zone itself, and whether this edit does. */
const REBUILDS: Partial<Record<Row["kind"], (before?: Row, after?: Row) => boolean>> = {
  domain: (before, after) =>
    differ(before as Domain, after as Domain, ["name", "nameServers", "ttlSeconds", "negativeTtlSeconds"]),
  segment: (before, after) => differ(before as Segment, after as Segment, ["domain", "vrf", "naming"]),
  prefix: (before, after) => differ(before as PrefixRow, after as PrefixRow, ["segment", "vrf", "prefix"]),
};

function differ<R>(before: R | undefined, after: R | undefined, fields: readonly (keyof R)[]): boolean {
  if (!before || !after) return true;
  return fields.some((field) => text(before[field]) !== text(after[field]));
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString(16) : part));
}

function listOf<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function leasesOf(replica: Lookup, id: number): Lease[] {
  return [...listOf(replica.leaseOf(id, 4)), ...listOf(replica.leaseOf(id, 6))];
}

function ownersOf(replica: Lookup, lease: Lease, versions: readonly Interface[]): DomainName[] {
  const segment = replica.segment(lease.segment);
  const domain = segment && replica.domain(segment.domain);
  const forward = domain ? versions.flatMap((iface) => hostName(iface, lease.address, segment, domain) ?? []) : [];
  const branches = domain ? versions.flatMap((iface) => branchOf(iface, domain) ?? []) : [];
  return [...forward, ...branches, reverseName(lease.address)];
}
