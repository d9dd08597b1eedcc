import { formatMac, macFrom } from "@firstlight/wire";
import { type Entry, type FoundLease, given } from "./found.ts";

/** RFC 8415 §11: what identifies a DHCPv6 client; of these two kinds an Ethernet address is the end. */
const LINK_LAYER: Readonly<Record<number, number>> = { 1: 8, 3: 4 }; // type: where its address begins
const NAMES: Readonly<Record<number, string>> = { 2: "an enterprise number", 4: "a UUID" };
const ETHERNET = 1;

/** The Ethernet address in a DUID, or why there is none: our interfaces are known by theirs. */
function macOfDuid(duid: Uint8Array): string | { readonly because: string } {
  const [type, hardware] = [0, 2].map((at) => ((duid[at] ?? 0) << 8) | (duid[at + 1] ?? 0)) as [number, number];
  const at = LINK_LAYER[type];
  if (at !== undefined && hardware === ETHERNET && duid.length === at + 6) return formatMac(macFrom(duid, at));
  return { because: `of DHCPv6, by a DUID of ${NAMES[type] ?? `type ${type}`}: no Ethernet address` };
}

/** A DHCPv6 promise of one address. */
export interface Found6 extends Pick<FoundLease, "address" | "expiresAt"> {
  readonly duid: Uint8Array;
  /** Four bytes, as on the wire. */
  readonly iaid: Uint8Array;
  /** Where the server learned it otherwise, RFC 6939 above all. */
  readonly hardware?: Uint8Array | undefined;
  readonly at: number;
}

/** As ours: known by its MAC, with IAID and DUID in the one identifier that RFC 4361 §6.1 makes of them. */
export function entry6({ address, expiresAt, duid, iaid, hardware, at }: Found6): Entry {
  const mac = hardware?.length === 6 ? formatMac(macFrom(hardware)) : macOfDuid(duid);
  if (typeof mac !== "string") return { is: "passed", because: mac.because };
  const clientId = Uint8Array.of(255, ...iaid, ...duid);
  return { is: "lease", at, lease: { address, mac, expiresAt, ...given("clientId", clientId) } };
}

/** Why what is no address of an interface is not taken over, by the option that carried it (RFC 8415 §21.5, §21.21). */
export const NO_ADDRESS = {
  "ia-ta": "of DHCPv6: a temporary address, which no server keeps",
  "ia-pd": "of DHCPv6: a delegated prefix, which a pool gives",
} as const;
