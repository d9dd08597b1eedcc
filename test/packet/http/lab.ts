import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { FakeApi, FakeReporter, domain, iface, lease, prefix, segment, siteOf } from "@firstlight/kit";
import type { Row } from "@firstlight/ipam";
import { processShared } from "@firstlight/service";
import { Registry } from "prom-client";
import { pxeHttpSchema } from "@firstlight/pxe-http/config";
import { startPxeHttp } from "@firstlight/pxe-http/start";

export const TRACE = "0af7651916cd43dd8448eb211c80319c";

/** Two machines of the lab, by address and MAC. */
export const ONE = { address: "127.64.0.12", mac: "02:f1:00:00:00:01" } as const;
export const TWO = { address: "127.64.0.13", mac: "02:f1:00:00:00:02" } as const;
/** An address of the lab that nobody leased. */
export const NOBODY = "127.64.0.99";

export const ROWS: readonly Row[] = [
  domain(),
  segment(),
  prefix(),
  iface({ id: 1, identity: ONE.mac }),
  lease({ address: ONE.address, identity: ONE.mac }),
  iface({ id: 2, identity: TWO.mac, label: "node-two" }),
  lease({ address: TWO.address, identity: TWO.mac, interface: 2 }),
];

export const FILES: Readonly<Record<string, string | Uint8Array>> = {
  "ipxe/snponly.efi": Uint8Array.from({ length: 3000 }, (_, i) => i % 251),
  "discovery/x86_64/vmlinuz": "a kernel",
  ".hidden": "a secret",
};

export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface Ask {
  /** The source address: all the identity a machine has. */
  readonly from?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** pxe-http on a loopback socket over a real replica, a fake API and a folder of its own. */
export async function lab({ rows = ROWS, ...config }: { rows?: readonly Row[] } & Record<string, unknown> = {}) {
  await using parts = new AsyncDisposableStack();
  const site = parts.use(await siteOf(rows));
  const stateDir = mkdtempSync(join(tmpdir(), "firstlight-pxe-"));
  parts.defer(() => rmSync(stateDir, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(FILES)) {
    const file = join(stateDir, "artefacts", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const [api, reporter, metrics] = [new FakeApi(), new FakeReporter(), new Registry()];
  const faults: unknown[] = [];
  const running = await startPxeHttp(
    {
      config: pxeHttpSchema.parse({
        listen: "127.0.0.1:0",
        baseUrl: "http://10.0.0.1:8080",
        waitSeconds: 3,
        identityWaitMs: 0,
        ...config,
      }),
      site: { site: { stateDir } },
      log: { error: (fields: unknown) => faults.push(fields) },
      metrics,
      clock: site.clock,
      shared: parts.use(processShared(site.clock)),
    },
    { replica: site.replica, api, reporter, ready: () => site.following.ready() },
  );
  parts.defer(() => running.stop());
  const [host, port] = running.endpoints.http!.split(":") as [string, string];
  const owned = parts.move();
  return {
    site,
    api,
    reporter,
    metrics,
    running,
    faults,
    stateDir,
    port: Number(port),
    ask(path: string, { from = ONE.address, method = "GET", headers = {}, body }: Ask = {}): Promise<Answer> {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const sent = request({ host, port, path, method, headers, localAddress: from, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          resolve({ code: response.statusCode!, headers: response.headers, bytes, text: bytes.toString() });
        });
      });
      sent.on("error", reject);
      sent.end(body);
      return promise;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Waits for something that follows an answer at once, but after it. */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 2000) throw new Error(`never came true: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

export const form = { "content-type": "application/x-www-form-urlencoded" };
