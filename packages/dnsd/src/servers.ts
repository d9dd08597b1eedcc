import type { Zone } from "@firstlight/ipam";
import { isMalformed } from "@firstlight/wire";
import { type DomainName, type NameText, parseData, parseName } from "@firstlight/wire/dns";
import type { ServedRecord } from "./record.ts";

/**
 * What the zones' name servers add to them: NS at every apex (RFC 1034 §4.2.1), and an address for each server whose name
 * is in a zone of ours. `refused` gets the servers and zones whose names DNS cannot carry.
 */
export function serverRecords(
  zones: readonly Zone[],
  addresses: readonly string[],
  refused: (owner: NameText, because: string) => void,
): Map<DomainName, readonly ServedRecord[]> {
  const records = new Map<DomainName, readonly ServedRecord[]>();
  const add = (owner: NameText, added: readonly ServedRecord[]): void => {
    const name = parseName(owner);
    if (isMalformed(name)) refused(owner, name.because);
    else records.set(name, [...(records.get(name) ?? []).filter(({ type }) => type === "NS"), ...added]);
  };
  for (const zone of zones) {
    const { name, ttlSeconds } = zone;
    add(
      name,
      serversOf(zone).map((server) => ({ type: "NS", data: parseData("NS", server), ttlSeconds })),
    );
  }
  const forward = zones.filter((zone) => zone.is === "forward");
  for (const zone of forward) {
    for (const server of serversOf(zone)) {
      if (!forward.some(({ name }) => server === name || server.endsWith(`.${name}`))) continue;
      add(
        server,
        addresses.map((address) => addressRecord(address, zone.ttlSeconds)),
      );
    }
  }
  return records;
}

function serversOf({ nameServers, soa }: Zone): readonly NameText[] {
  return nameServers.length > 0 ? nameServers : [soa.mname];
}

/** The servers' records beside those of the IPAM, whose addresses come first; no CNAME stands beside other data. */
export function besides(servers: readonly ServedRecord[], records: readonly ServedRecord[]): readonly ServedRecord[] {
  if (servers.length === 0) return records;
  const isAddressed = records.some(isAddress);
  return [
    ...servers.filter((record) => !(isAddressed && isAddress(record))),
    ...records.filter(({ type }) => type !== "CNAME"),
  ];
}

function addressRecord(text: string, ttlSeconds: number): ServedRecord {
  const type = text.includes(":") ? "AAAA" : "A";
  return { type, data: parseData(type, text), ttlSeconds };
}

function isAddress({ type }: ServedRecord): boolean {
  return type === "A" || type === "AAAA";
}
