import { setTimeout as sleep } from "node:timers/promises";
import { listen } from "@firstlight/datagram";
import { formatIPv4, isMalformed, type IPv4, type Malformed } from "@firstlight/wire";
import { answers, decode, encode, foldName, type Message, query, RCODES } from "@firstlight/wire/dns";
import { seededRandom } from "./core/seeded-random.ts";
import { BootFailed, type Nic } from "./nic.ts";
import { createEventQueue } from "./event-queue.ts";

const TRY_MS = 1000;
/** The name appears a moment after the lease is committed: a "no" is asked again for this long. */
const PATIENCE_MS = 30_000;

/** Resolves the machine's own name: forward to its address and back to its name. */
export async function resolveSelf(nic: Nic, own: IPv4, name: string): Promise<void> {
  await using client = await openResolverClient(nic, own);
  const reverse = `${formatIPv4(own).split(".").toReversed().join(".")}.in-addr.arpa`;
  await until(nic, async () => {
    const forward = await client.ask(name, "A");
    if (typeof forward === "string") return forward;
    const isMine = forward.answers.some(({ data }) => data.is === "A" && data.address === own);
    if (!isMine) return `${name} has another address`;
    const back = await client.ask(reverse, "PTR");
    if (typeof back === "string") return back;
    const isName = back.answers.some(({ data }) => data.is === "PTR" && foldName(data.host) === foldName(name));
    return isName ? undefined : `${reverse} has another name`;
  });
  nic.record("dns.resolved", { name, address: formatIPv4(own) });
}

async function until(nic: Nic, attempt: () => Promise<string | undefined>): Promise<void> {
  const end = nic.clock.now() + PATIENCE_MS;
  for (let tries = 0; ; tries++) {
    const because = await attempt();
    if (because === undefined) return;
    if (nic.clock.now() >= end) throw new BootFailed(`DNS: ${because}`);
    if (tries % 8 === 7) nic.record("dns.retry", { because }); // a replica's short lag is expected and not reported
    await sleep(Math.min(1000, 25 * 2 ** tries), undefined, { signal: nic.signal });
  }
}

interface ResolverClient extends AsyncDisposable {
  /** One question, one answer: a response that has records, or why there is none. */
  ask(name: string, type: "A" | "PTR"): Promise<Message | string>;
}

async function openResolverClient(nic: Nic, own: IPv4): Promise<ResolverClient> {
  const port = await listen({ address: own, port: 0, engine: "dgram", bufferBytes: 65_536 });
  const queue = createEventQueue<Message | Malformed>(nic.clock, nic.signal);
  const listening = (async () => {
    for await (const batch of port) for (const { bytes } of batch) queue.put(decode(bytes.slice()));
  })();
  let asks = 0;
  return {
    async ask(name, type) {
      const asked = query({ id: seededRandom(nic.seed ^ nic.mac, asks++) & 0xffff, name, type });
      const bytes = encode(asked);
      if (isMalformed(bytes)) return `${name}: ${bytes.because}`;
      port.send(bytes, nic.servers.dns);
      const lateAt = nic.clock.now() + TRY_MS;
      for (;;) {
        const response = await queue.next(lateAt);
        if (response === undefined) return `no answer about ${name}`;
        if (!answers(response, asked)) continue;
        if (response.rcode !== RCODES.of.NOERROR) return `${name} ${type}: ${RCODES.name(response.rcode)}`;
        return response.answers.length > 0 ? response : `${name} has no ${type}`;
      }
    },
    async [Symbol.asyncDispose]() {
      await port.close();
      await listening;
    },
  };
}
