import { type Endpoint, listen } from "@firstlight/datagram";
import { formatIPv4, isMalformed } from "@firstlight/wire";
import { decode, encode, type Message } from "@firstlight/wire/dhcp4";
import { type Client, type Effect, type Event, keep, start, step } from "./core/dhcp.ts";
import type { Lease, Program } from "./core/program.ts";
import type { Line } from "./line.ts";
import { createMailbox } from "./mailbox.ts";
import type { Detail } from "./timeline.ts";

/** Boots one program's DHCP client on the line, and gives what it was promised. */
export async function obtain(line: Line, program: Program): Promise<Lease> {
  line.tell("dhcp.start", { as: program.name });
  const [client, effects] = start(program, line.mac, line.nextSeed(), line.clock.now());
  const lease = await run(line, client, effects);
  line.tell("dhcp.bound", told(lease));
  return lease;
}

/** Keeps a lease for as long as the line has power: RENEWING at T1, REBINDING at T2, anew when it is lost. */
export async function hold(line: Line, program: Program, lease: Lease): Promise<never> {
  for (let held = lease; ; line.tell("dhcp.renewed", told(held))) {
    held = await run(line, keep(program, line.mac, line.nextSeed(), held), []);
  }
}

async function run(line: Line, begin: Client, effects: readonly Effect[]): Promise<Lease> {
  const mailbox = createMailbox<Event>(line.clock, line.signal, () => line.relay.quiet());
  const hear = (message: Message): void => mailbox.put({ is: "message", message });
  using attachment = line.relay.attach(line.mac, line.port, hear);
  await using unicasts = new AsyncDisposableStack(); // a port only while there is something to hear on it
  let client = begin;
  for (let todo = effects; ;) {
    for (const effect of todo) {
      if (effect.do === "bound") return effect.lease;
      if (effect.do === "broadcast") attachment.broadcast(effect.message);
      else if (effect.do === "unicast") await unicast(unicasts, effect, line.servers.dhcp, hear);
      else line.tell("dhcp.note", { note: effect.step, because: effect.because });
    }
    const event = (await mailbox.next(client.wakeAt)) ?? { is: "tick" as const };
    [client, todo] = step(client, event, line.clock.now());
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
