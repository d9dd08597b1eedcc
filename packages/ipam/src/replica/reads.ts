import type { Kind } from "../model/model.ts";
import type { Replica } from "./replica.ts";

/** The kinds of rows that each question to a replica reads; what is not named here reads none. */
interface Reads {
  readonly segment: "segment";
  readonly segments: "segment";
  readonly segmentOf: "segment" | "prefix";
  readonly prefixes: "prefix";
  readonly prefixOf: "prefix";
  readonly domain: "domain";
  readonly domainNamed: "domain";
  readonly domains: "domain";
  readonly interface: "interface";
  readonly interfaceById: "interface";
  readonly interfacesOf: "interface";
  readonly labelled: "interface";
  readonly expected: "expected";
  readonly devicesOf: "expected";
  readonly expectedDevices: "expected";
  readonly lease: "lease";
  readonly leaseOf: "lease";
  readonly delegatedTo: "lease";
  readonly leases: "lease";
  readonly leasesAt: "lease";
  readonly names: "name";
  readonly namesAt: "name";
  readonly reservations: "reservation";
  readonly candidate: "segment" | "prefix" | "interface" | "expected" | "reservation" | "lease";
  readonly ordered: Kind;
}

/** A replica of some kinds of rows: it has the questions that these kinds can answer, and no others. */
export type ReplicaOf<K extends Kind> = {
  readonly [Q in keyof Replica as Q extends keyof Reads ? (Reads[Q] extends K ? Q : never) : Q]: Replica[Q];
};
