import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { InterfaceSchema, IpamService, LeaseSchema } from "@firstlight/api-client/gen/firstlight/v1/ipam_pb.js";
import {
  type ClientIdentity,
  type Domain,
  type DrainState,
  fqdnOf,
  identityText,
  type Interface,
  type Lease,
  type LeaseKey,
  macOf,
  type Name,
  RECORD_TYPES,
  type Replica,
  type Segment,
} from "@firstlight/ipam";
import type { Store } from "@firstlight/ipam/store";
import { formatAddress, formatMac, type Prefix } from "@firstlight/wire";
import { oneOf, prefixOf, textOf } from "../grpc/field.ts";
import { invalid, callRefused } from "../grpc/error.ts";
import { page } from "../grpc/page.ts";
import { segmentChange, segmentEdit, segmentToWire } from "./segment.ts";
import type { Handlers } from "../grpc/server.ts";

const MAX_NAME = 253;
const MAX_DATA = 4_096;

/** Addresses and names, for operators: written through the store, read from the replica. */
export function ipamHandlers(store: Store, replica: Replica): Handlers<typeof IpamService> {
  const read = readers(replica);

  const drain = async (name: string, text: string, state: DrainState, actor: string) => {
    const prefix = text === "" ? undefined : prefixOf(text, "prefix");
    const { segment, prefixes } = await store.drain(textOf(name, "name", MAX_NAME, 1), prefix, state, actor);
    return segmentToWire(segment, read.domainName(segment), prefixes, read.boundIn(segment.vrf));
  };

  return {
    listSegments(request) {
      const [segments, nextPageToken] = page((token) => replica.ordered.segments(token || undefined), nameOf, request);
      return { segments: segments.map(read.segment), nextPageToken };
    },

    async createSegment(request, { actor }) {
      const edit = segmentEdit(request.segment);
      const segment = await store.createSegment(edit, actor);
      return { segment: segmentToWire(segment, edit.domain, edit.prefixes, read.boundIn(segment.vrf)) };
    },

    async updateSegment(request, { actor }) {
      const { name, change } = segmentChange(request.segment);
      const segment = await store.updateSegment(name, change, actor);
      const prefixes = change.prefixes ?? replica.prefixes(segment.id);
      return {
        segment: segmentToWire(segment, change.domain ?? read.domainName(segment), prefixes, read.boundIn(segment.vrf)),
      };
    },

    async deleteSegment(request, { actor }) {
      await store.deleteSegment(textOf(request.name, "name", MAX_NAME, 1), actor);
      return {};
    },

    drain: async ({ name, prefix }, { actor }) => ({ segment: await drain(name, prefix, "draining", actor) }),
    undrain: async ({ name, prefix }, { actor }) => ({ segment: await drain(name, prefix, "active", actor) }),

    listDomains(request) {
      const [domains, nextPageToken] = page((token) => replica.ordered.domains(token || undefined), nameOf, request);
      return { domains: domains.map(domainToWire), nextPageToken };
    },

    listInterfaces(request) {
      const segment = segmentIn(replica, request.segment);
      const rows = (token: string) => replica.ordered.interfaces(interfaceAfter(token), segment);
      const [interfaces, nextPageToken] = page(rows, interfaceKey, request);
      return { interfaces: interfaces.map(read.interface), nextPageToken };
    },

    listLeases(request) {
      const segment = segmentIn(replica, request.segment);
      const rows = (token: string) => replica.ordered.leases(leaseAfter(token), segment);
      const [leases, nextPageToken] = page(rows, leaseKey, request);
      return { leases: leases.map(read.lease), nextPageToken };
    },

    listNames(request) {
      const { ordered } = replica;
      const domain = ordered.domainNamed(request.domain);
      if (request.domain !== "" && !domain) throw callRefused("domain-not-found", { domain: request.domain });
      const rows = (token: string) => ordered.names(token || undefined, domain?.id);
      const [names, nextPageToken] = page(rows, (name) => ordered.nameKey(name), request);
      return {
        names: names.map((name) => nameToWire(name, replica.domain(name.domain)?.name ?? "")),
        nextPageToken,
      };
    },

    async putName({ name }, { actor }) {
      if (!name) throw invalid("name", "field-missing");
      const owner = ownerOf(name.owner, "name.owner");
      const domain = read.zoneOf(owner, name.domain);
      const type = oneOf(RECORD_TYPES, name.type, "name.type");
      const data = textOf(name.data, "name.data", MAX_DATA, 1);
      const ttlSeconds = name.ttlSeconds || domain.ttlSeconds;
      const put = await store.putName({ domain: domain.id, owner, type, data, ttlSeconds }, actor);
      return { name: nameToWire(put, domain.name) };
    },

    async deleteName(request, { actor }) {
      await store.deleteName(ownerOf(request.owner, "owner"), oneOf(RECORD_TYPES, request.type, "type"), actor);
      return {};
    },
  };
}

/** The rows of the replica as the contract shows them. */
function readers(replica: Replica) {
  const segmentName = (id: number): string => replica.segment(id)?.name ?? "";
  const domainName = (segment: Segment): string => replica.domain(segment.domain)?.name ?? "";
  const boundIn = (vrf: string) => (prefix: Prefix) => replica.ordered.bound(prefix, vrf);
  return {
    domainName,
    boundIn,
    segment: (segment: Segment) =>
      segmentToWire(segment, domainName(segment), replica.prefixes(segment.id), boundIn(segment.vrf)),
    /** The domain by its name, or the closest one above the owner. */
    zoneOf(owner: string, name: string): Domain {
      const best = name === "" ? domainAbove(replica, owner) : replica.ordered.domainNamed(name);
      if (!best)
        throw name === ""
          ? callRefused("domain-above-not-found", { name: owner })
          : callRefused("domain-not-found", { domain: name });
      if (!isBelow(owner, best.name)) throw invalid("name.owner", "name-outside-domain", { domain: best.name });
      return best;
    },
    interface: (row: Interface): MessageInitShape<typeof InterfaceSchema> => {
      const lease = replica.leaseOf(row.id, 4) ?? replica.leaseOf(row.id, 6);
      const isBound = lease?.state === "bound";
      return {
        id: BigInt(row.id),
        mac: macIn(row.identity),
        identity: identityText(row.identity),
        segment: segmentName(row.segment),
        role: row.role,
        machine: row.machine ?? "",
        fqdn: isBound ? (fqdnOf(replica, lease) ?? "") : "",
        address: isBound ? formatAddress(lease.address) : "",
        identifiedBy: row.identifiedBy,
        state: row.state ?? "",
      };
    },
    lease: (lease: Lease): MessageInitShape<typeof LeaseSchema> => ({
      address: formatAddress(lease.address),
      vrf: lease.vrf,
      segment: segmentName(lease.segment),
      mac: macIn(lease.identity),
      identity: identityText(lease.identity),
      ...(lease.iaid !== undefined && { iaid: lease.iaid }),
      ...(lease.prefixLength !== undefined && { prefixLength: lease.prefixLength }),
      state: lease.state,
      policy: lease.policy,
      starts: timestampFromMs(lease.startsAt),
      ...(Number.isFinite(lease.expiresAt) && { expires: timestampFromMs(lease.expiresAt) }),
      ...(Number.isFinite(lease.reusableAt) && { reusable: timestampFromMs(lease.reusableAt) }),
      giaddr: lease.relay ? formatAddress(lease.relay.giaddr) : "",
      circuitId: Uint8Array.from(lease.relay?.circuitId ?? []),
      remoteId: Uint8Array.from(lease.relay?.remoteId ?? []),
      clientId: Uint8Array.from(lease.clientId ?? []),
      version: BigInt(lease.version),
    }),
  };
}

const interfaceKey = ({ id }: Interface): string => String(id).padStart(16, "0");
const interfaceAfter = (token: string): number | undefined => (token === "" ? undefined : Number(token) || 0);

const FAMILIES = { 4: Number, 6: BigInt } as const;

/** Sorts as addresses do: by VRF, family, then number. */
function leaseKey({ vrf, address }: Lease): string {
  return `${vrf}/${typeof address === "number" ? 4 : 6}/${address.toString(16).padStart(32, "0")}`;
}

function leaseAfter(token: string): LeaseKey | undefined {
  if (token === "") return undefined;
  const [, vrf, family, digits] = /^(.+)\/([46])\/([0-9a-f]{32})$/.exec(token) ?? [];
  if (vrf === undefined || digits === undefined) throw invalid("page_token", "page-token-foreign");
  return { vrf, address: FAMILIES[family as "4" | "6"](`0x${digits}`) };
}

function ownerOf(text: string, field: string): string {
  const owner = textOf(text, field, MAX_NAME, 1).toLowerCase().replace(/\.$/, "");
  if (!/^(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(owner)) throw invalid(field, "host-name-malformed");
  return owner;
}

const isBelow = (owner: string, domain: string): boolean => owner === domain || owner.endsWith(`.${domain}`);
const nameOf = ({ name }: { readonly name: string }): string => name;

/** The id of the segment whose rows a list is to have; undefined: of all. */
export function segmentIn(replica: Replica, name: string): number | undefined {
  if (name === "") return undefined;
  const found = replica.ordered.segmentNamed(name);
  if (!found) throw callRefused("segment-not-found", { segment: name });
  return found.id;
}

/** The closest domain at or above an owner. */
function domainAbove(replica: Replica, owner: string): Domain | undefined {
  for (let rest = owner; rest !== ""; rest = rest.split(".").slice(1).join(".")) {
    const found = replica.ordered.domainNamed(rest);
    if (found) return found;
  }
  return undefined;
}

function nameToWire({ owner, type, data, ttlSeconds }: Name, domain: string) {
  return { owner, type, data, ttlSeconds, domain };
}

function domainToWire({ name, nameServers, ttlSeconds, negativeTtlSeconds }: Domain) {
  return { name, nameServers: [...nameServers], ttlSeconds, negativeTtlSeconds };
}

/** The client's MAC as text; empty where it is known by something else. */
function macIn(identity: ClientIdentity): string {
  const mac = macOf(identity);
  return mac === undefined ? "" : formatMac(mac);
}
