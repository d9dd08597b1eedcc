import type { Datagram, Endpoint } from "@firstlight/datagram";
import { formatAddress } from "@firstlight/wire";

/** Who asked, and at which of our addresses. The endpoint is its transfer identifier, RFC 1350 §4. */
export interface Client {
  readonly endpoint: Endpoint;
  readonly address: string;
  /** Address and port. */
  readonly key: string;
  /** The local address it asked; undefined where the engine cannot tell. */
  readonly asked: number | bigint | undefined;
}

export function clientOf({ from, to }: Pick<Datagram, "from" | "to">): Client {
  const address = formatAddress(from.address);
  return { endpoint: from, address, key: `${address} ${from.port}`, asked: to === 0 || to === 0n ? undefined : to };
}
