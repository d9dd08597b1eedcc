import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { splitEndpoint } from "@firstlight/service";
import { isMalformed } from "@firstlight/wire";
import { answers, decode, encode, query, RCODES } from "@firstlight/wire/dns";

/** No dnsd answers for the site's zones. */
export class DnsdAway extends Error {
  readonly code = "FL_DNSD_AWAY";
}

const DEADLINE_MS = 1000;

/** Whether any of these authorities serves the zone now: its SOA, with NOERROR. A stale dnsd says SERVFAIL, which is no. */
export async function isServed(
  zone: string,
  authorities: readonly string[],
  deadlineMs = DEADLINE_MS,
): Promise<boolean> {
  const asked = authorities.map(async (endpoint) => {
    if (!(await isServedAt(zone, endpoint, deadlineMs))) throw new DnsdAway(endpoint);
    return true;
  });
  return Promise.any(asked).catch(() => false);
}

async function isServedAt(zone: string, endpoint: string, deadlineMs: number): Promise<boolean> {
  const { host, port } = splitEndpoint(endpoint);
  const asked = query({ id: randomInt(0x10000), name: zone, type: "SOA" });
  const bytes = encode(asked);
  if (isMalformed(bytes)) return false;
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const send = (): void => socket.send(bytes, port, host, (error) => error !== null && resolve(false));
  socket
    .on("error", () => resolve(false))
    .on("message", (reply) => {
      const message = decode(reply);
      if (answers(message, asked)) resolve(message.rcode === RCODES.of.NOERROR);
    });
  const again = setTimeout(send, deadlineMs / 2); // one lost datagram is not an outage
  const timer = setTimeout(() => resolve(false), deadlineMs);
  send();
  try {
    return await promise;
  } finally {
    clearTimeout(again);
    clearTimeout(timer);
    socket.close();
  }
}
