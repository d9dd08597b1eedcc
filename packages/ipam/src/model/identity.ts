import { formatAddress, formatMac, type Mac } from "@firstlight/wire";
import type { RelayInfo } from "./model.ts";

/** What a client showed beside its MAC: its own words, and what the network proved of where it is attached. */
export interface Proof {
  readonly clientId?: Uint8Array | undefined;
  /** Option 97 (RFC 4578 §2.3), with or without its type byte. */
  readonly uuid?: Uint8Array | undefined;
  readonly relay?: RelayInfo | undefined;
}

/** How an identity is written in a reservation, one line per kind; alike on every replica and in the database. */
export const IDENTITY = {
  port: ({ giaddr, circuitId, remoteId }: RelayInfo): string | undefined =>
    circuitId && `port ${formatAddress(giaddr)}/${hex(circuitId)}${remoteId === undefined ? "" : `/${hex(remoteId)}`}`,
  mac: (mac: Mac): string => `mac ${formatMac(mac)}`,
  uuid: (uuid: Uint8Array): string => `uuid ${hex(uuid.length === 17 && uuid[0] === 0 ? uuid.subarray(1) : uuid)}`,
  clientId: (clientId: Uint8Array): string => `client-id ${hex(clientId)}`,
} as const;

/** Everything this client may be known by, the strongest first: what the network proves stands before what it says. */
export function identitiesOf(mac: Mac, { relay, uuid, clientId }: Proof): string[] {
  const { giaddr, circuitId } = relay ?? {};
  const bare = giaddr !== undefined && circuitId && IDENTITY.port({ giaddr, circuitId });
  const all = [
    relay?.remoteId && IDENTITY.port(relay),
    bare,
    IDENTITY.mac(mac),
    uuid && IDENTITY.uuid(uuid),
    clientId && IDENTITY.clientId(clientId),
  ];
  return all.filter((identity) => typeof identity === "string");
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
