import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { domain, type MemorySite, prefix, segment, siteOf } from "@firstlight/kit";
import type { Row } from "@firstlight/ipam";
import { systemClock } from "@firstlight/service";
import { Registry } from "prom-client";
import { unboundConfigSchema } from "../src/config.ts";
import type { Settings } from "../src/render.ts";
import { startUnboundConfig } from "../src/start.ts";
import { authority } from "./authority.ts";

export const ROWS: readonly Row[] = [domain(), segment(), prefix()];
export const SILENT = { debug() {}, info() {}, warn() {} };

export function settings(input: Record<string, unknown> = {}): Settings {
  return { ...unboundConfigSchema.parse(input), controlSocket: "/run/unbound.ctl" };
}

export async function folder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "fl-unbound-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** unbound-config over a real replica, in a folder of its own. */
export async function lab(path: string, input: Record<string, unknown> = {}, rows: readonly Row[] = ROWS) {
  await using parts = new AsyncDisposableStack();
  const dnsd = parts.use(await authority(["lab.test"]));
  const site: MemorySite = parts.use(await siteOf(rows));
  const metrics = new Registry();
  const running = await startUnboundConfig(
    {
      config: unboundConfigSchema.parse({ enabled: true, settleMs: 0, dnsd: [dnsd.endpoint], ...input }),
      site: { site: { stateDir: path } },
      log: SILENT,
      metrics,
      clock: systemClock,
    },
    { replica: site.replica, ready: () => site.following.ready() },
  );
  parts.defer(() => running.stop());
  const owned = parts.move();
  return { site, dnsd, metrics, running, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What listens at a control socket and answers each command by a table; it remembers what it was told. */
export class ControlServer implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly commands: string[] = [];
  answer: (command: string) => string | undefined = () => "ok\n";
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #told = Promise.withResolvers<void>();

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(path: string): Promise<this> {
    await new Promise<void>((resolve, reject) => this.#server.once("error", reject).listen(path, resolve));
    return this;
  }

  /** Resolves once this command has come. */
  async told(command: string, times = 1): Promise<void> {
    while (this.commands.filter((one) => one === command).length < times) await this.#told.promise;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (!text.endsWith("\n")) return;
      this.lines.push(text);
      this.commands.push(text.replace(/^UBCT1 /, "").trimEnd());
      const answer = this.answer(this.commands.at(-1)!);
      if (answer !== undefined) socket.end(answer);
      this.#told.resolve();
      this.#told = Promise.withResolvers();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
