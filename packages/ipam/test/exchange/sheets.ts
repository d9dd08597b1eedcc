/** Sheets of every kind, as anybody might write them. */
import * as fc from "fast-check";
import { type SheetKind } from "../../src/exchange/index.ts";

/** Cells of each kind, in their one form. */
const octet = fc.integer({ min: 1, max: 250 });
const address = fc.tuple(octet, octet).map(([a, b]) => `10.9.${a}.${b}`);
const mac = octet.map((n) => `02:00:00:00:00:${n.toString(16).padStart(2, "0")}`);
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const maybe = (of: fc.Arbitrary<string>) => fc.oneof(fc.constant(""), of);
const list = (of: fc.Arbitrary<string>) =>
  fc.array(of, { minLength: 0, maxLength: 3 }).map((items) => (items.length === 0 ? "[]" : items.join(" ")));
const words = (...all: string[]) => fc.constantFrom(...all);
const whole = (min: number, max: number) => fc.integer({ min, max }).map(String);
const hex = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);
const nobody = { mac: "", uuid: "", clientId: "", relay: "", circuitId: "", remoteId: "" };

const CELLS = {
  segments: fc.record(
    {
      name: label,
      kind: words("underlay", "admin", "tenant", "host_inband"),
      domain: words("lab.test"),
      vrf: fc.stringMatching(/^[a-z][ a-z"',;\n-]{0,10}[a-z]$/),
      mtu: whole(576, 9216),
      vlan: fc.oneof(maybe(whole(1, 4094)), fc.constant("pool:numbers")),
      vni: maybe(whole(1, 16_777_215)),
      asn: maybe(whole(1, 4_294_967_295)),
      loopback: maybe(address),
      leaseSeconds: whole(60, 100_000),
      t1Percent: maybe(whole(1, 87)),
      graceSeconds: whole(0, 100_000),
      admission: words("open", "expected"),
      allocation: words("dynamic", "sequential", "reserved"),
      policy: words("dynamic", "fixed", "retained", "preserved"),
      rehome: words("", "move", "keep", "refuse"),
      naming: words("address", "mac"),
      boots: words("true", "false"),
      state: words("active", "draining"),
      drainSeconds: maybe(whole(0, 100_000)),
      routers: fc.oneof(fc.constant(""), list(address)),
      domainNameServers: fc.oneof(fc.constant(""), list(address)),
      ntpServers: fc.oneof(fc.constant(""), list(address)),
      domainSearch: fc.oneof(fc.constant(""), list(label)),
      staticRoutes: fc.oneof(fc.constant(""), list(address.map((via) => `10.0.0.0/8=${via}`))),
    },
    { noNullPrototype: true },
  ),
  prefixes: octet.map((n) => ({
    segment: "open",
    prefix: `10.99.${n}.0/24`,
    gateway: n % 2 === 0 ? `10.99.${n}.1` : "",
    reserved: String(n % 5),
    reservedRanges: n % 4 === 0 ? `10.99.${n}.50-10.99.${n}.60 10.99.${n}.70-10.99.${n}.70` : "[]",
    excluded: n % 3 === 0 ? `10.99.${n}.7 10.99.${n}.9` : "[]",
    pools: n % 3 === 1 ? `10.99.${n}.80-10.99.${n}.99=host_bmc+dpu_bmc 10.99.${n}.100-10.99.${n}.100=host` : "[]",
    state: n % 5 === 0 ? "draining" : "active",
  })),
  reservations: fc
    .tuple(
      octet,
      fc.oneof(
        mac.map((mac) => ({ ...nobody, mac })),
        fc.uuid({ version: 4 }).map((uuid) => ({ ...nobody, uuid })),
        hex.map((clientId) => ({ ...nobody, clientId })),
        fc.record({ relay: address, circuitId: hex, remoteId: maybe(hex) }).map((port) => ({ ...nobody, ...port })),
      ),
      maybe(label),
    )
    .map(([n, identity, note]) => ({ segment: "held", address: `10.0.2.${n}`, ...identity, note })),
  expected: fc.record(
    {
      mac,
      machine: label,
      role: words("host", "host_bmc", "dpu_bmc", "dpu_oob", "other"),
      serial: maybe(fc.stringMatching(/^[A-Z0-9 ",-]{0,10}[A-Z0-9]$/)),
      label,
      address: maybe(octet.map((n) => `10.0.4.${n}`)),
      segment: words("", "six"),
    },
    { noNullPrototype: true },
  ),
  domains: fc.record(
    {
      name: label.map((name) => `${name}.x.test`),
      nameServers: fc.array(label, { minLength: 1, maxLength: 3 }).map((all) => all.join(" ")),
      ttlSeconds: whole(1, 86_400),
      negativeTtlSeconds: whole(1, 3_600),
    },
    { noNullPrototype: true },
  ),
  pools: fc
    .oneof(
      octet.map((n) => ({ kind: "integer", length: "", ranges: `${n}-${n + 9} ${n + 20}`, excluded: String(n + 3) })),
      octet.map((n) => ({ kind: "ipv4", length: "", ranges: `10.200.${n}.0-10.200.${n}.99`, excluded: "[]" })),
      octet.map((n) => ({ kind: "ipv6", length: "", ranges: `fd00:${n}::1-fd00:${n}::ff`, excluded: "[]" })),
      whole(33, 64).map((length) => ({ kind: "prefix", length, ranges: `fd00:1::/${length}`, excluded: "[]" })),
      octet.map((n) => ({
        kind: "prefix",
        length: "48",
        ranges: `fd00:1::/48-fd00:1:${n.toString(16)}::/48`,
        excluded: "[]",
      })),
    )
    .chain((pool) => label.map((name) => ({ name, ...pool }))),
  names: fc
    .tuple(
      label,
      fc.oneof(
        address.map((data) => ({ type: "A", data })),
        fc.stringMatching(/^"[ -!#-~]{0,20}"$/).map((data) => ({ type: "TXT", data })),
        label.map((target) => ({ type: "CNAME", data: `${target}.lab.test` })),
        label.map((target) => ({ type: "SRV", data: `0 0 8443 ${target}.lab.test` })),
      ),
      whole(1, 86_400),
    )
    .map(([name, record, ttlSeconds]) => ({ owner: `${name}.lab.test`, ...record, ttlSeconds, domain: "lab.test" })),
} satisfies Record<SheetKind, fc.Arbitrary<Record<string, string>>>;

/** Some rows of a kind of which none names what another names. */
export const sheet = (kind: SheetKind, maxLength = 6) =>
  fc.uniqueArray(CELLS[kind] as fc.Arbitrary<Record<string, string>>, {
    maxLength,
    comparator: (a, b) =>
      Object.keys(a).some((name) => UNIQUE.has(`${kind}.${name}`) && a[name] !== "" && a[name] === b[name]),
  });
const UNIQUE = new Set([
  "domains.name",
  "pools.name",
  "names.owner",
  "segments.name",
  "prefixes.prefix",
  ...["address", "mac", "uuid", "clientId", "circuitId"].map((name) => `reservations.${name}`),
  ...["mac", "label", "address", "machine"].map((name) => `expected.${name}`),
]);
