import type { EditReason } from "../model/edit-reasons.ts";
import { Refused } from "./store.ts";

/** Rules that the database decides, by the name of their constraint. */
const REASONS: Readonly<Record<string, EditReason>> = {
  prefix_check: "gateway-outside-prefix",
  prefix_reserved: "reserved-beyond-prefix",
  prefix_reserved_check: "reserved-out-of-bounds",
  prefix_overlaps: "prefixes-overlap",
  segment_lease_seconds_check: "lease-too-short",
  segment_grace_seconds_check: "grace-negative",
  domain_name_servers_check: "name-server-missing",
};

/** The refusal of an edit that broke such a rule, with the row as the database shows it; any other error as it is. */
export function refusalOf(error: unknown): unknown {
  const { constraint, detail } = error as { constraint?: string; detail?: string };
  const reason = REASONS[constraint ?? ""];
  return reason === undefined ? error : new Refused(reason, { row: detail ?? "" }, { cause: error });
}
