import { rackSchema } from "../../src/config.ts";
import type { PowerOn, Step } from "../../src/main.ts";
import { type DhcpServer, openDhcp } from "./dhcp.ts";
import { type DnsServer, openDns } from "./dns.ts";
import { type HttpServer, openHttp } from "./http.ts";
import { openTftp, type TftpServer } from "./tftp.ts";

/** Real servers on loopback, small enough to read, for a rack to boot from. */
export interface Site extends AsyncDisposable {
  readonly dhcp: DhcpServer;
  readonly tftp: TftpServer;
  readonly dns: DnsServer;
  readonly http: HttpServer;
  /** What a rack's power needs to know of it. */
  options(overrides?: Record<string, unknown>): PowerOn;
}

export async function openSite(): Promise<Site> {
  await using opening = new AsyncDisposableStack();
  const parts: { base: string } = { base: "" };
  const dhcp = opening.use(await openDhcp(() => parts.base));
  const http = opening.use(await openHttp(dhcp.leases));
  parts.base = http.base;
  const tftp = opening.use(await openTftp(new Map([["snponly.efi", new Uint8Array(50_000).fill(7)]])));
  const dns = opening.use(await openDns(dhcp.leases));
  const owned = opening.move();
  return {
    dhcp,
    tftp,
    dns,
    http,
    options: (overrides = {}) =>
      rackSchema.parse({
        machines: 3,
        staggerMs: 0,
        deadlineSeconds: 30,
        servers: {
          dhcp: `127.0.0.1:${dhcp.port.local.port}`,
          tftpPort: tftp.port.local.port,
          dns: `127.0.0.1:${dns.port.local.port}`,
        },
        segments: {
          bmc: { gateway: "127.72.0.1" },
          dpu: { gateway: "127.73.0.1" },
          host: { gateway: "127.74.0.1" },
        },
        ...overrides,
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The steps of one interface, in order, without the ones that depend on chance. */
export function story(timeline: readonly Step[]): string[] {
  return timeline.filter(({ step }) => step !== "dhcp.note" && step !== "ipxe.echo").map(({ step }) => step);
}
