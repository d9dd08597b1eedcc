import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below the kernel's ephemeral ports, which clients of other tests may use at the same time. */
const [FIRST, RANGE] = [20_000, 12_000];

/** Ports of 127.0.0.1 that are free for TCP and UDP. The search begins at another port in each process. */
export async function freePorts(count: number): Promise<number[]> {
  const free: number[] = [];
  for (let tried = 0; free.length < count && tried < RANGE; tried++) {
    const port = FIRST + ((process.pid * 37 + tried) % RANGE);
    if ((await isFreeTcp(port)) && (await isFreeUdp(port))) free.push(port);
  }
  return free;
}

async function isFreeTcp(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: "127.0.0.1", exclusive: true });
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function isFreeUdp(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    socket.bind({ port, address: "127.0.0.1", exclusive: true });
    await once(socket, "listening");
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
