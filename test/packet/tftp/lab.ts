import { mkdtemp, mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Datagram, type Endpoint, listen, type Port } from "@firstlight/datagram";
import { domain, FakeReporter, iface, lease, prefix, readAddress, segment, siteOf } from "@firstlight/kit";
import { splitEndpoint, systemClock } from "@firstlight/service";
import { decode, encode, type Message, type Options } from "@firstlight/wire/tftp";
import { isMalformed } from "@firstlight/wire";
import { Registry } from "prom-client";
import { tftpdSchema } from "@firstlight/tftpd/config";
import { startTftpd } from "@firstlight/tftpd/start";

const ROWS = [domain(), segment(), prefix(), iface(), lease()];
/** The address of the lab's one lease. */
export const LEASED = "127.64.0.12";

/** tftpd on a loopback socket over a folder of its own and a real replica. */
export async function lab(config: Record<string, unknown> = {}) {
  await using parts = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), "firstlight-tftp-"));
  parts.defer(() => rm(root, { recursive: true }));
  const site = parts.use(await siteOf(ROWS));
  const [reporter, metrics] = [new FakeReporter(), new Registry()];
  const running = await startTftpd(
    {
      config: tftpdSchema.parse({ listen: "127.0.0.1:0", engine: "dgram", identityWaitMs: 0, ...config }),
      log: { info() {} },
      metrics,
      clock: systemClock,
      root,
    },
    { replica: site.replica, reporter, ready: () => site.following.ready() },
  );
  parts.defer(() => running.stop());
  const server = { address: readAddress("127.0.0.1"), port: splitEndpoint(running.endpoints["udp"]!).port };
  const owned = parts.move();
  return {
    root,
    reporter,
    metrics,
    running,
    server,
    put: (name: string, bytes: Uint8Array, age?: "old") => put(join(root, name), bytes, age),
    client: (address?: string) => openClient(server, address),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Written now, or long enough ago to be kept in memory. */
async function put(file: string, bytes: Uint8Array, age?: "old"): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
  if (age === "old") await utimes(file, 1_700_000_000, 1_700_000_000);
}

/** A client's socket, by hand: one message out, one in. */
export async function openClient(server: Endpoint, address = "127.0.0.1") {
  const port: Port = await listen({ address: readAddress(address), port: 0, engine: "dgram", maxBytes: 65_507 });
  const waiting: ((got: Got) => void)[] = [];
  const received: Got[] = [];
  const pump = (async () => {
    for await (const batch of port) {
      for (const datagram of batch) {
        const got = { message: read(datagram), from: datagram.from };
        const next = waiting.shift();
        if (next) next(got);
        else received.push(got);
      }
    }
  })();
  return {
    port,
    received,
    send(message: Message, to: Endpoint = server): void {
      port.send(encode(message), to);
      port.flush();
    },
    ask(file: string, asked: Record<string, string> = {}, mode = "octet"): void {
      this.send({ is: "RRQ", file, mode, options: new Map(Object.entries(asked)) });
    },
    next(): Promise<Got> {
      const got = received.shift();
      return got ? Promise.resolve(got) : new Promise((resolve) => waiting.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      await port.close();
      await pump;
    },
  };
}

export interface Got {
  readonly message: Message;
  readonly from: Endpoint;
}

export type Client = Awaited<ReturnType<typeof openClient>>;

function read({ bytes }: Datagram): Message {
  const message = decode(bytes.slice());
  if (isMalformed(message)) throw new Error(message.because);
  return message;
}

export interface Fetched {
  readonly bytes: Uint8Array;
  readonly options: Options;
  readonly from: Endpoint;
}

/** A whole read by RFC 1350, 2347 and 7440, or the server's ERROR. `isLost` drops what was received. */
export async function fetch(
  client: Client,
  file: string,
  asked: Record<string, string> = {},
  { mode = "octet", isLost = (_n: number): boolean => false } = {},
): Promise<Fetched | Extract<Message, { is: "ERROR" }>> {
  client.ask(file, asked, mode);
  const parts: Uint8Array[] = [];
  let [options, blockBytes, window, since]: [Options, number, number, number] = [new Map(), 512, 1, 0];
  for (let n = 0; ; n++) {
    const { message, from } = await client.next();
    if (isLost(n)) continue;
    if (message.is === "ERROR") return message;
    if (message.is === "OACK") {
      options = message.options;
      blockBytes = Number(options.get("blksize") ?? 512);
      window = Number(options.get("windowsize") ?? 1);
      client.send({ is: "ACK", block: 0 }, from);
    }
    if (message.is !== "DATA") continue;
    const isNext = message.block === ((parts.length + 1) & 0xffff);
    if (isNext) {
      parts.push(message.data);
      since++;
    }
    const isLast = isNext && message.data.length < blockBytes;
    if (isLast || !isNext || since >= window) {
      since = 0;
      client.send({ is: "ACK", block: parts.length & 0xffff }, from);
    }
    if (isLast) return { bytes: Uint8Array.from(Buffer.concat(parts)), options, from };
  }
}

/** Looks until it is so; the test's own time limit is the only clock. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2));
}
