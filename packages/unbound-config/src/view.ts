import { type Replica, zonesOf } from "@firstlight/ipam";
import { formatPrefix } from "@firstlight/wire";

/** The part of the resolver's configuration that depends on the site: a value, the same on every replica. */
export interface SiteView {
  /** Our forward zones; only these may answer with private addresses. */
  readonly forward: readonly string[];
  /** Our reverse zones. */
  readonly reverse: readonly string[];
  /** The networks of the site; their hosts may query. */
  readonly networks: readonly string[];
  /** Zones that are left out, because their names cannot be written into its file. */
  readonly left: readonly string[];
}

/** Letters, digits, hyphen and underscore (RFC 952, RFC 2782): what needs no escape and can inject nothing. */
const PLAIN = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;

export function isPlain(name: string): boolean {
  return name.length <= 253 && PLAIN.test(name);
}

export function viewOf(replica: Pick<Replica, "domains" | "domain" | "segments" | "prefixes">): SiteView {
  const zones = zonesOf(replica);
  const named = zones.filter(({ name }) => isPlain(name));
  const networks = [...replica.segments()].flatMap(({ id }) =>
    replica.prefixes(id).map(({ prefix }) => formatPrefix(prefix)),
  );
  return {
    forward: named.filter(({ is }) => is === "forward").map(({ name }) => name),
    reverse: named.filter(({ is }) => is === "reverse").map(({ name }) => name),
    networks: [...new Set(networks)].toSorted(), // overlapping tenants have the same one
    left: zones.filter(({ name }) => !isPlain(name)).map(({ name }) => name),
  };
}

export function zoneNames({ forward, reverse }: SiteView): string[] {
  return [...forward, ...reverse];
}
