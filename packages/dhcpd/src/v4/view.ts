import { type Candidate, isDraining, type Lease, type Segment, type Term, termOf } from "@firstlight/ipam";
import { contains, type IPv4 } from "@firstlight/wire";
import type { DatabaseLookup } from "../lease/lookup.ts";
import type { Client } from "./client.ts";
import { namedAddress, type View } from "./decide.ts";
import type { DhcpdReplica } from "../holding.ts";

/** The IPAM for one packet: the replica, overlaid with the answer of the database if it was queried. */
export function viewOf(
  client: Client,
  replica: DhcpdReplica,
  isHeld: (address: IPv4) => boolean,
  fresh: DatabaseLookup | undefined,
): View {
  const segment = replica.segmentOf(client.link);
  if (!segment) {
    return {
      segment,
      prefixes: [],
      own: undefined,
      named: undefined,
      candidate: noCandidate,
      term: noTerm,
      isAsked: true,
    };
  }
  const prefixes = replica.prefixes(segment.id).filter(({ prefix }) => typeof prefix.address === "number");
  const known = replica.interface(segment.id, client.mac);
  const own = freshLease(fresh, client, segment) ?? (known && replica.leaseOf(known.id, 4));
  const name = namedAddress(client);
  const named =
    fresh?.leases.find(({ address }) => address === name) ??
    (name === undefined ? undefined : replica.lease(name, segment.vrf));
  const term: View["term"] = (prefix, isRenewing) =>
    termOf(segment, prefix, { now: replica.databaseNow(), isRenewing, hasElsewhere });
  return { segment, prefixes, own, named, candidate, term, isAsked: fresh !== undefined };

  function candidate(): Candidate {
    const remembered = fresh && freshLease(fresh, client, segment!);
    const prefix = remembered && prefixes.find((row) => contains(row.prefix, remembered.address));
    // If the prefix drains or has role pools, the client may have to move.
    if (prefix && !isDraining(segment!, prefix) && prefixes.every(({ pools }) => pools === undefined))
      return { is: "candidate", address: remembered.address, prefix, known: true };
    return find(client.requested);
  }

  /** Whether the client would get an address of a prefix that does not drain. */
  function hasElsewhere(): boolean {
    const found = find(undefined);
    return found.is === "candidate" && !isDraining(segment!, found.prefix);
  }

  function find(wanted: IPv4 | undefined): Candidate {
    return replica.candidate(segment!, client.mac, wanted, (address) => isHeld(address as IPv4), client);
  }
}

/** The client's lease on this segment, as the database has just answered. */
function freshLease(fresh: DatabaseLookup | undefined, { mac }: Client, segment: Segment): Lease | undefined {
  return fresh?.leases.find(
    (lease) =>
      lease.identity === mac &&
      lease.segment === segment.id &&
      lease.state !== "declined" &&
      typeof lease.address === "number",
  );
}

const noTerm = (): Term => ({ leaseSeconds: 0 });
const noCandidate = (): Candidate => ({ is: "none", because: "no-prefix-of-family" });
