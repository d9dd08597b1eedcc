import { listen, type Port } from "@firstlight/datagram";
import { addressFrom, isMalformed } from "@firstlight/wire";
import { type Data, decode, encode, type Message, RCODES, TYPES } from "@firstlight/wire/dns";
import { DOMAIN } from "./dhcp.ts";

export interface DnsServer extends AsyncDisposable {
  readonly port: Port;
  /** Questions to answer NXDOMAIN before the names appear. */
  lags: number;
  asked: number;
}

/** Answers from the leases: `127-66-0-16.rack.test`, both ways. */
export async function openDns(leases: ReadonlyMap<string, string>): Promise<DnsServer> {
  const port = await listen({ address: 0x7f000001, port: 0, engine: "dgram" });
  const server = { port, lags: 0, asked: 0 };
  const serving = (async () => {
    for await (const batch of port) {
      for (const { bytes, from } of batch) {
        const query = decode(bytes.slice());
        if (isMalformed(query)) continue;
        server.asked++;
        const data = server.lags-- > 0 ? undefined : answer(query, leases);
        const response = encode(reply(query, data));
        if (!isMalformed(response)) port.send(response, from);
      }
    }
  })();
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      await port.close();
      await serving;
    },
  });
}

function reply(query: Message, data: Data | undefined): Message {
  const { name, type, class: cls } = query.questions[0]!;
  return {
    ...query,
    isResponse: true,
    isAuthoritative: true,
    rcode: data ? RCODES.of.NOERROR : RCODES.of.NXDOMAIN,
    answers: data ? [{ owner: name, type, class: cls, ttlSeconds: 60, data }] : [],
  };
}

function answer({ questions }: Message, leases: ReadonlyMap<string, string>): Data | undefined {
  const { name, type } = questions[0]!;
  if (type === TYPES.of.A) {
    const address = name.split(".")[0]!.replaceAll("-", ".");
    const bytes = addressFrom(Uint8Array.from(address.split(".").map(Number)));
    return leases.has(address) && typeof bytes === "number" ? { is: "A", address: bytes } : undefined;
  }
  const address = name.replace(".in-addr.arpa", "").split(".").slice(0, 4).toReversed().join(".");
  return leases.has(address) ? { is: "PTR", host: `${address.replaceAll(".", "-")}.${DOMAIN}` } : undefined;
}
