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
    if (port !== undefined && !taken.has(port) && (await isFree(address, port, transports))) return port;
  }
  throw new Error(`no free port on ${address} after 20 attempts`);
}

async function isFree(address: string, port: number, transports: readonly Transport[]): Promise<boolean> {
  for (const transport of transports) {
    const bound = transport === "tcp" ? await bindTcp(address, port) : await bindUdp(address, port);
    if (bound === undefined) return false;
  }
  return true;
}

function bindTcp(address: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: address, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound !== null ? bound.port : undefined));
    });
  });
}

function bindUdp(address: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address, exclusive: true }, () => socket.close(() => resolve(port)));
  });
}
