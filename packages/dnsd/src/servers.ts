import type { Zone } from "@firstlight/ipam";
import type { RecordText } from "./record.ts";

/**
 * What the zones' name servers add to them: NS at every apex (RFC 1034 §4.2.1), and an address for each server whose name
 * is in a zone of ours.
 */
export function serverRecords(zones: readonly Zone[], addresses: readonly string[]): Map<string, RecordText[]> {
  const records = new Map<string, RecordText[]>();
  for (const { name, nameServers, soa, ttlSeconds } of zones) {
    const servers = nameServers.length > 0 ? nameServers : [soa.mname];
    records.set(
      name,
      servers.map((data) => ({ type: "NS", data, ttlSeconds })),
    );
  }
  const forward = zones.filter((zone) => zone.is === "forward");
  for (const { nameServers, soa, ttlSeconds } of forward) {
    for (const server of nameServers.length > 0 ? nameServers : [soa.mname]) {
      if (!forward.some(({ name }) => server === name || server.endsWith(`.${name}`))) continue;
      const own = (records.get(server) ?? []).filter(({ type }) => type === "NS");
      records.set(server, [...own, ...addresses.map((data) => addressRecord(data, ttlSeconds))]);
    }
  }
  return records;
}

/** The servers' records beside those of the IPAM, which knows addresses better; no CNAME stands beside other data. */
export function besides(servers: readonly RecordText[], records: readonly RecordText[]): readonly RecordText[] {
  if (servers.length === 0) return records;
  const isAddressed = records.some(isAddress);
  return [
    ...servers.filter((record) => !(isAddressed && isAddress(record))),
    ...records.filter(({ type }) => type !== "CNAME"),
  ];
}

function addressRecord(data: string, ttlSeconds: number): RecordText {
  return { type: data.includes(":") ? "AAAA" : "A", data, ttlSeconds };
}

function isAddress({ type }: RecordText): boolean {
  return type === "A" || type === "AAAA";
}
