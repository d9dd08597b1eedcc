import type { Datagram, Endpoint } from "@firstlight/datagram";
import { formatAddress } from "@firstlight/wire";

/** Who asked, and at which of our addresses. The endpoint is its transfer identifier, RFC 1350 §4. */
export interface Client {
  readonly endpoint: Endpoint;
  readonly address: string;
  readonly key: Key;
  /** The local address it asked; undefined where the engine cannot tell. */
  readonly asked: number | bigint | undefined;
}

/** Address and port as one value. A number for IPv4, since every acknowledgement is looked up by it. */
export type Key = number | string;

export function keyOf({ address, port }: Endpoint): Key {
  return typeof address === "number" ? address * 65_536 + port : `${address} ${port}`;
}

export function clientOf({ from, to }: Pick<Datagram, "from" | "to">): Client {
  const asked = to === 0 || to === 0n ? undefined : to;
  return { endpoint: from, address: formatAddress(from.address), key: keyOf(from), asked };
}
