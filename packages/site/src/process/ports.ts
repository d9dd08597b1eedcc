import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** Transports that a port must be free for. */
export type Transport = "tcp" | "udp";

/** `wanted` if it is free on this address for each transport, else one that the kernel chose. */
export async function freePort(
  address: string,
  wanted: number,
  transports: readonly Transport[],
  taken: ReadonlySet<number>,
): Promise<number> {
  if (!taken.has(wanted) && (await isFree(address, wanted, transports))) return wanted;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const port = await bindTcp(address, 0);
    if (typeof port === "number" && !taken.has(port) && (await isFree(address, port, transports))) return port;
  }
  throw new Error(`no free port on ${address} after 20 attempts`);
}

async function isFree(address: string, port: number, transports: readonly Transport[]): Promise<boolean> {
  for (const transport of transports) if ((await obstacle(address, port, transport)) !== undefined) return false;
  return true;
}

/** Why this address and port cannot be listened on now, as the kernel's code; nothing where they can. */
export async function obstacle(address: string, port: number, transport: Transport): Promise<string | undefined> {
  const bound = transport === "tcp" ? await bindTcp(address, port) : await bindUdp(address, port);
  return typeof bound === "number" ? undefined : bound;
}

/** The port, or the kernel's code. */
function bindTcp(address: string, port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code ?? "unknown"));
    server.listen({ port, host: address, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : port));
    });
  });
}

function bindUdp(address: string, port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const is6 = address.includes(":");
    const socket = createSocket({ type: is6 ? "udp6" : "udp4", ipv6Only: is6 });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => {
      socket.close();
      resolve(code ?? "unknown");
    });
    socket.bind({ port, address, exclusive: true }, () => socket.close(() => resolve(port)));
  });
}
