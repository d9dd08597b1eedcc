import {
  type Arbitrary,
  array,
  bigInt,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  option,
  record as anyRecord,
  string,
  tuple,
  uint8Array,
} from "fast-check";
import { type Data, type Edns, type Message, type ResourceRecord, TYPES } from "../../src/dns/index.ts";

/** Plain objects, as the codec makes them. */
const record = <T>(model: { [K in keyof T]: Arbitrary<T[K]> }): Arbitrary<T> =>
  anyRecord<T>(model, { noNullPrototype: true });

const u16 = integer({ min: 0, max: 0xffff });
const u32 = integer({ min: 0, max: 0xffffffff });

const label = string({ unit: constantFrom(...Array.from("abcXYZ019-_")), minLength: 1, maxLength: 12 });
const escaped = constantFrom("a\\.b", "\\000x", "back\\\\slash", "\\255\\128", "sp\\032ace");
/** Names in the one form that decode gives back, few enough that some share suffixes. */
export const names = oneof(
  constant("."),
  array(oneof({ weight: 5, arbitrary: label }, escaped, constantFrom("lab", "test")), {
    minLength: 1,
    maxLength: 6,
  }).map((labels) => labels.join(".")),
);

const octets = string({ unit: integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 255 });

const datas: Arbitrary<Data> = oneof(
  record({ is: constant("A" as const), address: u32 }),
  record({ is: constant("AAAA" as const), address: bigInt({ min: 0n, max: 2n ** 128n - 1n }) }),
  record({ is: constantFrom("NS" as const, "PTR" as const), host: names }),
  record({ is: constant("CNAME" as const), target: names }),
  record({ is: constant("MX" as const), preference: u16, exchange: names }),
  record({ is: constant("SRV" as const), priority: u16, weight: u16, port: u16, target: names }),
  record({ is: constant("TXT" as const), strings: array(octets, { minLength: 1, maxLength: 3 }) }),
  record({
    is: constant("SOA" as const),
    mname: names,
    rname: names,
    serial: u32,
    refreshSeconds: u32,
    retrySeconds: u32,
    expireSeconds: u32,
    minimumSeconds: u32,
  }),
  record({ is: constant("raw" as const), bytes: uint8Array({ maxLength: 40 }) }),
);

const records: Arbitrary<ResourceRecord> = record({ owner: names, ttlSeconds: u32, data: datas }).map((parts) => ({
  owner: parts.owner,
  type: parts.data.is === "raw" ? 65_400 : TYPES.of[parts.data.is],
  class: 1,
  ttlSeconds: parts.ttlSeconds,
  data: parts.data,
}));

const ednses: Arbitrary<Edns> = record({
  payloadBytes: u16,
  version: nat(255),
  dnssecOk: boolean(),
  options: array(record({ code: u16, bytes: uint8Array({ maxLength: 12 }) }), { maxLength: 3 }),
});

const sections = array(records, { maxLength: 4 });

export const messages: Arbitrary<Message> = tuple(
  record({
    id: u16,
    isResponse: boolean(),
    opcode: nat(15),
    isAuthoritative: boolean(),
    isTruncated: boolean(),
    recursionDesired: boolean(),
    recursionAvailable: boolean(),
    isAuthentic: boolean(),
    checkingDisabled: boolean(),
    rcode: nat(4095),
    questions: array(record({ name: names, type: u16, class: u16 }), { maxLength: 2 }),
    answers: sections,
    authorities: sections,
    additionals: sections,
  }),
  option(ednses, { nil: undefined }),
).map(([message, edns]) => (edns ? { ...message, edns } : { ...message, rcode: message.rcode & 15 }));
