import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface HttpServer extends AsyncDisposable {
  readonly base: string;
  /** `METHOD path from address`. */
  readonly requests: string[];
  /** Forms that phoned home, by address. */
  readonly homes: Map<string, URLSearchParams>;
  /** How many phone-homes to answer 503 first. */
  busy: number;
  /** Script instead of the usual ones. */
  script: string | undefined;
}

/** Boots whoever asks; whoever has phoned home boots its local disk. `leases` says whose address it is. */
export async function openHttp(leases: ReadonlyMap<string, string>): Promise<HttpServer> {
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const state: Omit<HttpServer, typeof Symbol.asyncDispose> = {
    base,
    requests: [],
    homes: new Map(),
    busy: 0,
    script: undefined,
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const from = request.socket.remoteAddress ?? "";
    const { method = "", url = "" } = request;
    state.requests.push(`${method} ${url} from ${from}`);
    const say = (code: number, body: string): void => {
      response.writeHead(code, { "content-length": Buffer.byteLength(body) }).end(method === "HEAD" ? "" : body);
    };
    const body = await text(request);
    if (!leases.has(from)) return say(403, "no lease on this address");
    if (url === "/phone-home") {
      if (state.busy-- > 0) return say(503, "not now");
      state.homes.set(from, new URLSearchParams(body));
      return say(200, "");
    }
    if (url === "/boot.ipxe") return say(200, state.script ?? scriptFor(state.homes.has(from), base));
    return FILES.has(url) ? say(200, FILES.get(url)!) : say(404, `no ${url}`);
  }

  return Object.assign(state, {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

const FILES = new Map([
  ["/snponly.efi", "E".repeat(10_000)],
  ["/i386/vmlinuz", "K".repeat(20_000)],
  ["/x86_64/vmlinuz", "K".repeat(20_000)],
  ["/arm64/vmlinuz", "K".repeat(20_000)],
  ["/initrd", "I".repeat(30_000)],
  ["/cloud-init/meta-data", "instance-id: 1"],
  ["/cloud-init/user-data", "#cloud-config"],
]);

/** Of pxe-http's shape: labels, retries and all. */
function scriptFor(isHome: boolean, base: string): string {
  const localDisk = `iseq \${platform} efi && goto efi ||
sanboot --no-describe --drive 0x80 || echo there is no disk
goto retry
:efi
exit 1`;
  const system = `imgfree
kernel --name vmlinuz ${base}/\${buildarch}/vmlinuz initrd=initrd firstlight.url=${base} firstlight.token=secret firstlight.action=discover ds=nocloud;s=${base}/cloud-init/ || goto retry
initrd --name initrd ${base}/initrd || goto retry
boot || goto retry`;
  return `#!ipxe
echo Firstlight: a machine
${isHome ? localDisk : system}
:retry
imgfree
sleep 1
chain --replace --autofree ${base}/boot.ipxe || goto retry
`;
}
