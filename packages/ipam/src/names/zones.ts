import type { Domain } from "../model/model.ts";
import type { Replica } from "../replica/replica.ts";
import { reverseZones } from "./reverse.ts";

/** A zone for which the site is authoritative. Names are in lower case, without the final dot. The serial is the low 32 bits of `dnsPosition`. */
export interface Zone {
  readonly name: string;
  readonly is: "forward" | "reverse";
  /** NS records of the apex; the first is the SOA's MNAME. */
  readonly nameServers: readonly string[];
  readonly ttlSeconds: number;
  readonly soa: Soa;
}

/** SOA fields but the serial (RFC 1035 §3.3.13; minimum by RFC 2308 §4). */
export interface Soa {
  readonly mname: string;
  readonly rname: string;
  readonly refreshSeconds: number;
  readonly retrySeconds: number;
  readonly expireSeconds: number;
  readonly minimumSeconds: number;
}

/** Every zone once: the domains, and the reverse zones of their segments' prefixes. Sorted, so all replicas give the same list. */
export function zonesOf(replica: Pick<Replica, "domains" | "segments" | "prefixes" | "domain">): Zone[] {
  const zones = new Map<string, Zone>();
  for (const domain of [...replica.domains()].toSorted((a, b) => a.id - b.id)) {
    zones.set(domain.name, zoneOf(domain, domain.name, "forward"));
  }
  for (const segment of [...replica.segments()].toSorted((a, b) => a.id - b.id)) {
    const domain = replica.domain(segment.domain);
    if (!domain) continue;
    for (const { prefix } of replica.prefixes(segment.id)) {
      for (const name of reverseZones(prefix)) if (!zones.has(name)) zones.set(name, zoneOf(domain, name, "reverse"));
    }
  }
  return [...zones.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Full names of a domain's name servers: a single label is relative to the zone, a name with a dot is absolute. */
export function nameServersOf(domain: Domain): string[] {
  return domain.nameServers.map((server) => {
    const name = server.toLowerCase().replace(/\.$/, "");
    return name.includes(".") || server.endsWith(".") ? name : `${name}.${domain.name}`;
  });
}

function zoneOf(domain: Domain, name: string, is: Zone["is"]): Zone {
  const nameServers = nameServersOf(domain);
  return {
    name,
    is,
    nameServers,
    ttlSeconds: atLeastOne(domain.ttlSeconds),
    soa: {
      mname: nameServers[0] ?? `ns1.${domain.name}`,
      rname: `hostmaster.${domain.name}`,
      refreshSeconds: 3600,
      retrySeconds: 600,
      expireSeconds: 604_800,
      minimumSeconds: atLeastOne(domain.negativeTtlSeconds),
    },
  };
}

/** A resolver that serves expired answers would keep a TTL of 0 for ever. */
function atLeastOne(seconds: number): number {
  return Math.max(1, seconds);
}
