import { type Endpoint, listen } from "@firstlight/datagram";
import { formatIPv4, isMalformed } from "@firstlight/wire";
import { decode, encode, type Message } from "@firstlight/wire/dhcp4";
import { type Client, type Effect, type Event, keep, start, step } from "./core/dhcp.ts";
import type { Lease, Program } from "./core/program.ts";
import type { Nic } from "./nic.ts";
import { createEventQueue } from "./event-queue.ts";
import type { Detail } from "./timeline.ts";

/** Boots one program's DHCP client on the line, and gives what it was promised. */
export async function obtain(nic: Nic, program: Program): Promise<Lease> {
  nic.record("dhcp.start", { as: program.name });
  const [client, effects] = start(program, nic.mac, nic.nextSeed(), nic.clock.now());
  const lease = await run(nic, client, effects);
  nic.record("dhcp.bound", told(lease));
  return lease;
}

/** Keeps a lease for as long as the line has power: RENEWING at T1, REBINDING at T2, anew when it is lost. */
export async function hold(nic: Nic, program: Program, lease: Lease): Promise<never> {
  for (let held = lease; ; nic.record("dhcp.renewed", told(held))) {
    held = await run(nic, keep(program, nic.mac, nic.nextSeed(), held), []);
  }
}

async function run(nic: Nic, begin: Client, effects: readonly Effect[]): Promise<Lease> {
  const queue = createEventQueue<Event>(nic.clock, nic.signal, () => nic.relay.quiet());
  const hear = (message: Message): void => queue.put({ is: "message", message });
  using attachment = nic.relay.attach(nic.mac, nic.port, hear);
  await using unicasts = new AsyncDisposableStack(); // a port only while there is something to hear on it
  let client = begin;
  for (let todo = effects; ;) {
    for (const effect of todo) {
      if (effect.do === "bound") return effect.lease;
      if (effect.do === "broadcast") attachment.broadcast(effect.message);
      else if (effect.do === "unicast") await unicast(unicasts, effect, nic.servers.dhcp, hear);
      else nic.record("dhcp.note", { note: effect.step, because: effect.because });
    }
    const event = (await queue.next(client.wakeAt)) ?? { is: "tick" as const };
    [client, todo] = step(client, event, nic.clock.now());
  }
}

/** From the leased address itself, to the server that promised it, on the laboratory's port. */
async function unicast(
  owned: AsyncDisposableStack,
  { message, from, to }: Extract<Effect, { do: "unicast" }>,
  server: Endpoint,
  hear: (message: Message) => void,
): Promise<void> {
  const port = owned.use(await listen({ address: from, port: 0, engine: "dgram", bufferBytes: 65_536 }));
  const hearing = (async () => {
    for await (const batch of port) {
      for (const { bytes } of batch) {
        const reply = decode(bytes.slice());
        if (!isMalformed(reply)) hear(reply);
      }
    }
  })();
  owned.defer(() => port.close().then(() => hearing));
  port.send(encode(message), { address: to, port: server.port });
}

function told({ address, leaseSeconds, hostName, domainName, bootFile }: Lease): Detail {
  return {
    address: formatIPv4(address),
    leaseSeconds,
    ...(hostName !== undefined && { name: domainName === undefined ? hostName : `${hostName}.${domainName}` }),
    ...(bootFile !== undefined && { bootFile }),
  };
}
