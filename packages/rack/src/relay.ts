import { listen, type Endpoint, type Port } from "@firstlight/datagram";
import { formatIPv4, isMalformed, type IPv4, type Mac, macFrom } from "@firstlight/wire";
import { decode, encode, get, getRelay, type Message, options, relayAgent } from "@firstlight/wire/dhcp4";
import { BATCH, ReadProgress } from "./read-progress.ts";

/**
 * The relay of one segment, RFC 1542 and RFC 3046: it takes what its clients broadcast, says where they are attached and
 * brings the answers back. It listens on the segment's gateway, on a port of its own that it asks to be answered on
 * (RFC 8357), since 67 is not for the unprivileged.
 */
export interface Relay extends AsyncDisposable {
  readonly gateway: IPv4;
  readonly local: Endpoint;
  readonly counters: Readonly<Record<Counter, number>>;
  /**
   * Resolves once everything that had arrived has been brought to its clients. One process reads for thousands of
   * machines: none of them may take an answer for lost that only waits to be read.
   */
  quiet(): Promise<void>;
  /** How far behind it has been at most, milliseconds. */
  readonly behindMs: number;
  /** Plugs a client in at a switch port. It hears what is for its hardware address until it is unplugged. */
  attach(mac: Mac, port: number, hear: (message: Message) => void): Attachment;
}

export interface Attachment extends Disposable {
  broadcast(message: Message): void;
}

type Counter =
  | "forwarded"
  | "delivered"
  | "too many hops"
  | "malformed"
  | "nobody"
  | "not a reply"
  | "another relay"
  | "circuit changed";

interface Client {
  readonly circuitId: Uint8Array;
  readonly hear: (message: Message) => void;
  /** The exchange it is in. */
  xid: number;
}

const MOST_HOPS = 16; // RFC 1542 §4.1.1
/** One relay and one process stand for thousands of machines, each of which would have room for its own answers. */
const BUFFER_BYTES = 64 << 20;

export async function openRelay(name: string, gateway: IPv4, server: Endpoint): Promise<Relay> {
  const port = await listen({ address: gateway, port: 0, bufferBytes: BUFFER_BYTES, batch: BATCH });
  const clients = new Map<Mac, Client>();
  const counters = {
    forwarded: 0,
    delivered: 0,
    "too many hops": 0,
    malformed: 0,
    nobody: 0,
    "not a reply": 0,
    "another relay": 0,
    "circuit changed": 0,
  };
  const remoteId = new TextEncoder().encode(`${name}-tor-${formatIPv4(gateway)}`);
  const progress = new ReadProgress();
  const listening = deliver(port, gateway, clients, counters, progress);
  return {
    gateway,
    local: port.local,
    counters,
    quiet: () => progress.quiet(),
    get behindMs() {
      return progress.behindMs;
    },
    attach(mac, switchPort, hear) {
      const client: Client = { circuitId: new TextEncoder().encode(`swp${switchPort}`), hear, xid: 0 };
      clients.set(mac, client);
      return {
        broadcast(message) {
          if (message.hops >= MOST_HOPS) return void counters["too many hops"]++;
          client.xid = message.xid;
          counters.forwarded++;
          port.send(encode(relayed(message, gateway, client.circuitId, remoteId)), server);
        },
        [Symbol.dispose]: () => void (clients.get(mac) === client && clients.delete(mac)),
      };
    },
    async [Symbol.asyncDispose]() {
      await port.close();
      await listening;
    },
  };
}

/** RFC 1542 §4.1.1 with option 82 of RFC 3046 §2.1 and the port of RFC 8357 §5.1. */
function relayed(message: Message, giaddr: IPv4, circuitId: Uint8Array, remoteId: Uint8Array): Message {
  const agent = relayAgent({ circuitId, remoteId, relaySourcePort: true });
  return {
    ...message,
    hops: message.hops + 1,
    giaddr,
    options: new Map([...message.options, ...options({ relayAgent: agent })]),
  };
}

async function deliver(
  port: Port,
  gateway: IPv4,
  clients: Map<Mac, Client>,
  counters: Record<Counter, number>,
  progress: ReadProgress,
): Promise<void> {
  for await (const batch of port) {
    progress.took(batch.length);
    for (const { bytes } of batch) {
      const message = decode(bytes.slice()); // the batch's memory is used again, the message's options are views
      const client = isMalformed(message) ? undefined : clients.get(macFrom(message.chaddr));
      if (isMalformed(message)) counters.malformed++;
      else if (message.op !== 2) counters["not a reply"]++;
      else if (message.giaddr !== gateway) counters["another relay"]++;
      else if (client?.xid !== message.xid) counters.nobody++;
      else if (!isEchoed(message, client.circuitId)) counters["circuit changed"]++;
      else {
        counters.delivered++;
        client.hear(withoutAgent(message));
      }
    }
  }
}

/** RFC 3046 §2.2: a server echoes option 82 verbatim; one that leaves it out does not speak it, which is allowed. */
function isEchoed(message: Message, circuitId: Uint8Array): boolean {
  const agent = get(message.options, "relayAgent");
  if (agent === undefined) return true;
  const echoed = isMalformed(agent) ? undefined : getRelay(agent, "circuitId");
  return echoed instanceof Uint8Array && Buffer.from(echoed).equals(circuitId);
}

/** RFC 3046 §2.1: the relay takes its option out again. */
function withoutAgent(message: Message): Message {
  return { ...message, options: new Map([...message.options].filter(([code]) => code !== 82)) };
}
