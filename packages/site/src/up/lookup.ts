import { Resolver } from "node:dns/promises";

/** Whether a name leads to its address and the address back to its name; else why not. */
export type BothWays = (name: string, address: string) => Promise<string | undefined>;

/** Queries one name server only, with Node's resolver: a client that is not ours. */
export function openResolver(server: string): BothWays {
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  resolver.setServers([server]);
  return async (name, address) => {
    try {
      const forward = await resolver.resolve4(name);
      if (!forward.includes(address)) return `${name} leads to ${forward.join(", ")}, not to ${address}`;
      const reverse = `${address.split(".").toReversed().join(".")}.in-addr.arpa`;
      const back = await resolver.resolvePtr(reverse);
      return back.includes(name) ? undefined : `${reverse} leads to ${back.join(", ")}, not to ${name}`;
    } catch (error) {
      const { hostname = name, code } = error as { hostname?: string; code?: string };
      return `${hostname} is not in DNS: ${code}`;
    }
  };
}
