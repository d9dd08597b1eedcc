import { Refused } from "./store.ts";

/** Rules that the database has the last word on, and what to say to who broke one: `%` is the row as the database shows it. */
const SAYS: Readonly<Record<string, string>> = {
  prefix_check: "a gateway must lie in its prefix: %",
  prefix_reserved: "more addresses are reserved than the prefix has: %",
  prefix_reserved_check: "reserved must be 0 to 65536: %",
  prefix_overlaps: "prefixes overlap in one vrf: %",
  segment_lease_seconds_check: "a lease lasts at least a second: %",
  segment_grace_seconds_check: "grace is never negative: %",
  domain_name_servers_check: "a domain has at least one name server: %",
};

/** An edit that broke a rule is refused with its reason; what else went wrong stays as it is. */
export function refusalOf(error: unknown): unknown {
  const { constraint, detail } = error as { constraint?: string; detail?: string };
  const says = SAYS[constraint ?? ""];
  return says === undefined
    ? error
    : new Refused(
        says.replace("%", () => detail ?? ""),
        { cause: error },
      );
}
