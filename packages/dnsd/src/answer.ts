import {
  type Finding,
  hashName,
  type Labels,
  labels,
  newScan,
  RCODES,
  readName,
  type Scan,
  scan,
  TYPES,
} from "@firstlight/wire/dns";
import { NONE } from "./name-index.ts";
import { Reply } from "./reply.ts";
import { SERIAL_FROM_END, type Zone, type Zones } from "./zones.ts";

/** Why a packet is not answered: a response to a response would be answered for ever; a packet without a header names no query. */
export type Silence = Extract<Finding, "query-too-short" | "is-a-response">;

/** What the transport and the replica's age allow. */
export interface Limits {
  /** Largest UDP reply, whatever the client says it takes (1232). */
  readonly payloadBytes: number;
  /** TCP: a reply may have 65535 bytes. */
  readonly isStream: boolean;
  /** The replica is older than its bound: SERVFAIL, so that a resolver goes on with what it has cached. */
  readonly isStale: boolean;
}

/** Working memory of one answer at a time, made once: no query allocates. Afterwards it holds what was asked. */
export interface Scratch {
  readonly scan: Scan;
  readonly reply: Reply;
  /** Name a CNAME led to, as it stands in the reply. */
  readonly target: Labels;
  /** Nodes of the chain so far. */
  readonly visited: Int32Array;
}

/** Longest CNAME chain followed. The resolver asks for what is behind it. */
const MAX_CHAIN = 8;

export function newScratch(): Scratch {
  return { scan: newScan(), reply: new Reply(), target: labels(), visited: new Int32Array(MAX_CHAIN) };
}

/**
 * Answers the query in the first `length` bytes: the length of the reply in `out` (65535 bytes for TCP, `payloadBytes` for UDP), or why there is none.
 * Refuses in the order of RFC 8906: header, question, EDNS version, type, class; then looks the name up.
 */
export function answer(
  zones: Zones,
  query: Uint8Array,
  length: number,
  out: Uint8Array,
  limits: Limits,
  scratch: Scratch,
): number | Silence {
  const { scan: asked, reply } = scratch;
  const finding = scan(query, length, zones.seed, asked);
  if (finding === "query-too-short" || finding === "is-a-response") return finding;
  reply.begin(query, out, asked, roomFor(asked, limits));
  const refused = finding === "query" ? refusal(asked, limits) : REFUSED_AS[finding];
  reply.rcode = refused >= 0 ? refused : lookUp(zones, out, scratch);
  return reply.end();
}

/** A datagram is as long as both sides take, and 512 octets at least (RFC 6891 §6.2.3). */
function roomFor(asked: Scan, limits: Limits): number {
  if (limits.isStream) return 65_535;
  return asked.hasEdns ? Math.min(Math.max(512, asked.payloadBytes), limits.payloadBytes) : 512;
}

const { NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS } = RCODES.of;

const REFUSED_AS: Readonly<Record<Exclude<Finding, Silence | "query">, number>> = {
  "opcode-not-query": NOTIMP,
  "not-one-question": FORMERR,
  "question-malformed": FORMERR,
  "records-malformed": FORMERR,
  "two-opt-records": FORMERR,
};

/** Types that no zone holds (RFC 6895 §3.1): OPT is no question, transfers are for secondaries, the rest unknown here. */
function refusal({ hasEdns, ednsVersion, qtype, qclass }: Scan, { isStale }: Limits): number {
  if (hasEdns && ednsVersion > 0) return BADVERS; // RFC 6891 §6.1.3
  if (qtype === TYPES.of.OPT || qtype === 0) return FORMERR;
  if (qtype === TYPES.of.AXFR || qtype === TYPES.of.IXFR) return REFUSED;
  if (qtype >= 128 && qtype < TYPES.of.ANY) return NOTIMP;
  if (qclass !== 1) return REFUSED; // CHAOS names too: version and host name are not disclosed
  return isStale ? SERVFAIL : -1;
}

/** RFC 1034 §4.3.2, with RFC 6604 for the code at the end of a chain and RFC 8020 for the meaning of NXDOMAIN. */
function lookUp(zones: Zones, out: Uint8Array, scratch: Scratch): number {
  const { reply, visited } = scratch;
  const { names, sets } = zones;
  const { qtype } = scratch.scan;
  let name = scratch.scan.name;
  let homeApex = NONE;
  for (let hop = 0; hop < MAX_CHAIN; hop++) {
    let label = 0;
    let node = names.find(out, name, label); // nearly always there
    if (node === NONE) {
      label = names.closest(out, name, 1);
      if (label === NONE) return hop === 0 ? REFUSED : NOERROR;
      node = names.find(out, name, label);
    }
    const zone = zones.zones[names.zoneOf(node)]!;
    if (hop === 0) homeApex = zone.apex;
    if (zone.apex !== homeApex) return NOERROR; // another zone: the resolver asks for it itself
    reply.isAuthoritative = true;
    if (label > 0) return deny(zones, reply, zone, name, NXDOMAIN);
    if (node === zone.apex && (qtype === TYPES.of.SOA || qtype === TYPES.of.ANY)) {
      reply.answer(name.at, zone.soa, 0, zone.soa.length, 1);
      reply.patchSerial(zones.serial, SERIAL_FROM_END);
      return NOERROR;
    }
    const held = names.setsOf(node);
    const set = qtype === TYPES.of.ANY ? held : sets.find(held, qtype); // RFC 8482 §4.1: one set
    if (set !== NONE) {
      reply.answer(name.at, sets.arena.bytes, sets.at(set), sets.bytes(set), sets.count(set));
      return NOERROR;
    }
    const alias = standsBesideCname(qtype) ? NONE : sets.find(held, TYPES.of.CNAME);
    if (alias === NONE) return deny(zones, reply, zone, name, NOERROR);
    if (visited.indexOf(node) >= 0 && visited.indexOf(node) < hop) return NOERROR; // a loop: the chain holds all its members
    visited[hop] = node;
    const at = reply.answer(name.at, sets.arena.bytes, sets.at(alias), sets.bytes(alias), 1);
    if (at < 0) return NOERROR;
    readName(out, at, reply.at, "refuse", scratch.target);
    hashName(out, zones.seed, scratch.target);
    name = scratch.target;
  }
  return NOERROR;
}

/** DNSSEC's own types may stand beside a CNAME, so they are asked of the alias itself (RFC 4035 §2.5). */
function standsBesideCname(qtype: number): boolean {
  return qtype === TYPES.of.RRSIG || qtype === TYPES.of.NSEC || qtype === TYPES.of.CNAME;
}

/** No such name, or no such data: its SOA bounds how long that may be cached (RFC 2308 §3). */
function deny(zones: Zones, reply: Reply, zone: Zone, name: Labels, rcode: number): number {
  const soa = zone.negativeSoa;
  reply.authority(name.starts[name.count - zone.labels]!, soa, 0, soa.length, 1);
  reply.patchSerial(zones.serial, SERIAL_FROM_END);
  return rcode;
}
