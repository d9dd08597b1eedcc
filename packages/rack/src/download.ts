import { type Endpoint, listen } from "@firstlight/datagram";
import { isMalformed, type IPv4 } from "@firstlight/wire";
import { decode, encode, ERRORS, type Message } from "@firstlight/wire/tftp";
import { type Effect, type Event, start, step, type Wanted } from "./core/tftp.ts";
import { BootFailed, type Nic } from "./nic.ts";
import { createEventQueue } from "./event-queue.ts";

/** What EDK2 asks for: MTFTP4 with PcdPxeTftpWindowSize 4. */
const EDK2_WANTED: Wanted = { blksize: 1468, windowsize: 4 };
const MOST_BYTES = 64 << 20;

/** Reads a boot file as EDK2 does: its size first, in a transfer ended by ERROR 8, then the file. Gives its size. */
export async function download(nic: Nic, own: IPv4, server: IPv4, file: string): Promise<number> {
  const size = await transfer(nic, own, server, file, { tsize: true, ...EDK2_WANTED }, true);
  nic.record("tftp.probe", { file, bytes: size });
  const bytes = await transfer(nic, own, server, file, EDK2_WANTED, false);
  if (bytes !== size) throw new BootFailed(`${file} was ${size} bytes when probed and ${bytes} when read`);
  nic.record("tftp.fetched", { file, bytes });
  return bytes;
}

async function transfer(
  nic: Nic,
  own: IPv4,
  server: IPv4,
  file: string,
  wanted: Wanted,
  isProbe: boolean,
): Promise<number> {
  await using port = await listen({ address: own, port: 0, engine: "dgram", bufferBytes: 262_144 });
  const queue = createEventQueue<Event>(nic.clock, nic.signal);
  let peer: Endpoint = { address: server, port: nic.servers.tftpPort };
  let isKnown = false; // RFC 1350 §4: the server's first answer fixes its TID
  const listening = (async () => {
    for await (const batch of port) {
      for (const { bytes, from } of batch) {
        const message = decode(bytes.slice());
        if (from.address !== server || isMalformed(message)) continue;
        if (isKnown && from.port !== peer.port) port.send(encode(STRANGER), from);
        else {
          [peer, isKnown] = [from, true];
          queue.put({ is: "message", message });
        }
      }
    }
  })();
  try {
    let [state, effects] = start(file, wanted, isProbe, nic.clock.now());
    for (;;) {
      const end = perform(effects, (message) => port.send(encode(message), peer));
      if (end?.do === "done") return end.bytes;
      if (end) throw new BootFailed(`TFTP of ${file}: ${end.because}`);
      if (state.bytes > MOST_BYTES) throw new BootFailed(`${file} is larger than ${MOST_BYTES} bytes`);
      const event = (await queue.next(state.wakeAt)) ?? { is: "tick" as const };
      [state, effects] = step(state, event, nic.clock.now());
    }
  } finally {
    await port.close();
    await listening;
  }
}

const STRANGER: Message = { is: "ERROR", code: ERRORS.of.unknownTransfer, message: "unknown transfer ID" };

/** The bytes themselves are only counted: nothing here could run them. */
function perform(effects: readonly Effect[], send: (message: Message) => void) {
  for (const effect of effects) {
    if (effect.do === "send") send(effect.message);
    else if (effect.do !== "data") return effect;
  }
  return undefined;
}
