import { type Address, formatAddress, formatMac, isMalformed, type Mac, parseMac } from "@firstlight/wire";

/** A DUID (RFC 8415 §11) in hexadecimal digits, as `IDENTITY.duid` writes it. */
export type DuidIdentity = `duid ${string}`;
/** A relay's link and the port that the client is attached to there, as `IDENTITY.port` writes it. */
export type PortIdentity = `port ${string}`;

/**
 * Who a client is, on its segment: its MAC, which DHCPv4 always shows and DHCPv6 shows where it can; else its DUID; or the
 * port that it is attached to, (link, interface-id). A value: two are the same client if they are equal (`===`).
 */
export type ClientIdentity = Mac | DuidIdentity | PortIdentity;

/** The place where the client is attached, as the network proves it. */
export interface RelayInfo {
  /** The relay's giaddr, or its link-address in DHCPv6. */
  readonly giaddr: Address;
  /** Suboption 1 of option 82, or the interface-id of DHCPv6 (option 18). */
  readonly circuitId?: Uint8Array;
  readonly remoteId?: Uint8Array;
}

/** The client's other facts: what it says itself, and where the network proves that it is attached. */
export interface Proof {
  readonly clientId?: Uint8Array | undefined;
  /** Option 97 (RFC 4578 §2.3), with or without its type byte. */
  readonly uuid?: Uint8Array | undefined;
  readonly relay?: RelayInfo | undefined;
}

/** The text form of an identity, one line per kind; the same on every replica and in the database. */
export const IDENTITY = {
  port: ({ giaddr, circuitId, remoteId }: RelayInfo): PortIdentity | undefined =>
    circuitId && `port ${formatAddress(giaddr)}/${hex(circuitId)}${remoteId === undefined ? "" : `/${hex(remoteId)}`}`,
  mac: (mac: Mac): string => `mac ${formatMac(mac)}`,
  duid: (duid: Uint8Array): DuidIdentity => `duid ${hex(duid)}`,
  uuid: (uuid: Uint8Array): string => `uuid ${hex(uuid.length === 17 && uuid[0] === 0 ? uuid.subarray(1) : uuid)}`,
  clientId: (clientId: Uint8Array): string => `client-id ${hex(clientId)}`,
} as const;

/** The identity as text: `mac 02:f1:00:00:00:01`, `duid 00030001…`, `port fd00::1/6574683`. */
export function identityText(identity: ClientIdentity): string {
  return typeof identity === "number" ? IDENTITY.mac(identity) : identity;
}

/** Reads the text that `identityText` writes; undefined if it is no identity of a client. */
export function readIdentity(text: string): ClientIdentity | undefined {
  if (!text.startsWith("mac ")) return isOther(text) ? text : undefined;
  const mac = parseMac(text.slice(4));
  return isMalformed(mac) ? undefined : mac;
}

function isOther(text: string): text is DuidIdentity | PortIdentity {
  return text.startsWith("duid ") || text.startsWith("port ");
}

/** The client's MAC, if its identity is a MAC. */
export function macOf(identity: ClientIdentity): Mac | undefined {
  return typeof identity === "number" ? identity : undefined;
}

/** All identities by which this client may be known, the strongest first: proofs of the network before the client's own claims. */
export function identitiesOf(identity: ClientIdentity, { relay, uuid, clientId }: Proof): string[] {
  const own = identityText(identity);
  const { giaddr, circuitId } = relay ?? {};
  const port = giaddr !== undefined && circuitId && IDENTITY.port({ giaddr, circuitId });
  const all = [
    relay?.remoteId && IDENTITY.port(relay),
    port === own ? undefined : port,
    own,
    uuid && IDENTITY.uuid(uuid),
    clientId && IDENTITY.clientId(clientId),
  ];
  return all.filter((text) => typeof text === "string");
}

/** A port's address is its port's: whoever else holds it has to go. */
export function isPort(identity: string): boolean {
  return identity.startsWith("port ");
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
