import type { Registry, RowKind } from "@firstlight/changefeed";
import type { RelocationEvent } from "../model/relocation-event.ts";
import type { Events } from "./feed.ts";
import type { Kind, Row } from "../model/model.ts";
import { copyTable } from "./copy.ts";
import { keyOfJson, rowFrom, TABLES } from "../database/rows.ts";

/** A row kind of which there are thousands: loaded as JSON. */
function kind<K extends Kind>(name: K): RowKind<Extract<Row, { kind: K }>> {
  return { table: TABLES[name], keyOf: (json) => keyOfJson(name, json), read: (json) => rowFrom(name, json) };
}

/** What the IPAM publishes on the change feed. */
export const KINDS: Registry<Row, Events, "pool" | "grant" | "collision"> = {
  // In load order: what a row refers to comes before it.
  rows: {
    domain: kind("domain"),
    segment: kind("segment"),
    prefix: kind("prefix"),
    expected: kind("expected"),
    reservation: kind("reservation"),
    interface: { ...kind("interface"), load: (client) => copyTable(client, "interface") },
    lease: { ...kind("lease"), load: (client) => copyTable(client, "lease") },
    name: kind("name"),
  },
  events: { arrival: { keyOf: ({ mac }) => mac, read: (json) => json as unknown as RelocationEvent } },
  audit: ["pool", "grant", "collision"],
};
