import { spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { formatIPv4, isMalformed } from "@firstlight/wire";
import { answers, decode, encode, type Message, query, RCODES, type TYPES } from "@firstlight/wire/dns";

/** Where a real unbound is, if anywhere. */
export const UNBOUND = ["unbound", "/usr/sbin/unbound"].find((path) => spawnSync(path, ["-V"]).status === 0);
export const SKIP = UNBOUND === undefined ? "unbound is not installed on this machine" : false;

/** A port of loopback that nobody has, for UDP and TCP alike, below those the kernel gives to whoever connects. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    if ((await isFree(createSocket("udp4"), port)) && (await isFree(createServer(), port))) return port;
  }
}

async function isFree(socket: Socket | Server, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("error", () => resolve(false)).once("listening", () => socket.close(() => resolve(true)));
  if ("bind" in socket) socket.bind(port, "127.0.0.1");
  else socket.listen(port, "127.0.0.1");
  return promise;
}

/** A real unbound on this file; resolves once it serves. */
export async function startUnbound(file: string): Promise<AsyncDisposable> {
  const child = spawn(UNBOUND!, ["-d", "-p", "-c", file], { stdio: ["ignore", "ignore", "pipe"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
    if (said.includes("start of service")) resolve();
  });
  void exited.then(() => reject(new Error(`unbound ended: ${said}`)));
  await promise;
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Starts unbound on a text instead. */
export async function unboundOn(folder: string, text: string): Promise<AsyncDisposable> {
  const file = join(folder, "unbound.conf");
  await writeFile(file, text);
  return startUnbound(file);
}

/** One question to the resolver: `NOERROR 127.64.0.12`, `NXDOMAIN`. */
export async function ask(port: number, name: string, type: keyof typeof TYPES.of = "A"): Promise<string> {
  const asked = query({ id: 4711, name, type, recursionDesired: true });
  const bytes = encode(asked);
  if (isMalformed(bytes)) throw new TypeError(bytes.because);
  const socket = createSocket("udp4");
  const { promise, resolve } = Promise.withResolvers<Message>();
  socket.on("message", (reply) => {
    const message = decode(reply);
    if (answers(message, asked)) resolve(message);
  });
  const send = (): void => socket.send(bytes, port, "127.0.0.1");
  const again = setInterval(send, 1000);
  send();
  try {
    const reply = await promise;
    return [RCODES.name(reply.rcode), ...reply.answers.map(({ data }) => told(data))].join(" ");
  } finally {
    clearInterval(again);
    socket.close();
  }
}

function told(data: Message["answers"][number]["data"]): string {
  if (data.is === "A") return formatIPv4(data.address);
  return data.is === "PTR" ? data.host : data.is;
}
