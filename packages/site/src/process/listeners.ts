import { splitEndpoint } from "@firstlight/service";
import type { DaemonName } from "./daemons.ts";
import { obstacle, type Transport } from "./ports.ts";

/** One socket that a site's file asks for. */
interface Listener {
  readonly setting: string;
  readonly at: string;
  readonly transport: Transport;
}

/** What this says of a section is all that counts here. */
interface Section {
  readonly listen?: string | readonly (string | { readonly address: string; readonly device?: string })[];
  readonly health?: string;
}

/** Each daemon's section, and what it listens with. */
const LISTENING: Readonly<Partial<Record<DaemonName, readonly [section: string, transports: readonly Transport[]]>>> = {
  api: ["api", ["tcp"]],
  dhcpd: ["dhcpd", ["udp"]],
  tftpd: ["tftpd", ["udp"]],
  "pxe-http": ["pxeHttp", ["tcp"]],
  dnsd: ["dnsd", ["udp", "tcp"]],
  "unbound-config": ["unboundConfig", []],
};

/** Sentence and remedy of each error code of the kernel. The daemon itself reports any other one. */
const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken by another process; stop that, or choose another port",
  EADDRNOTAVAIL: "is no address of this machine",
  EACCES: "needs a privilege: CAP_NET_BIND_SERVICE for ports below 1024",
};

/** The sockets that the daemons cannot open, one line each; reported before the daemons start and fail one by one. */
export async function obstacles(
  sections: Readonly<Record<string, unknown>>,
  daemons: ReadonlySet<DaemonName>,
): Promise<readonly string[]> {
  const found: string[] = [];
  const asked = new Map<string, string>();
  for (const { setting, at, transport } of listenersOf(sections, daemons)) {
    const { host, port } = splitEndpoint(at);
    if (port === 0) continue;
    const twin = asked.get(`${transport} ${at}`);
    asked.set(`${transport} ${at}`, setting);
    const code = (await obstacle(host, port, transport)) ?? "";
    if (twin !== undefined) found.push(`${setting}: ${at} (${transport}) is that of ${twin} too`);
    else if (Object.hasOwn(REMEDIES, code)) found.push(`${setting}: ${at} (${transport}) ${REMEDIES[code]}`);
  }
  return found;
}

function listenersOf(sections: Readonly<Record<string, unknown>>, daemons: ReadonlySet<DaemonName>): Listener[] {
  return Object.entries(LISTENING).flatMap(([daemon, [name, transports]]) => {
    if (!daemons.has(daemon as DaemonName)) return [];
    const { listen = [], health } = (sections[name] ?? {}) as Section;
    const served = (typeof listen === "string" ? [listen] : listen).flatMap((one): Listener[] => {
      if (typeof one !== "string" && one.device !== undefined) return []; // a device has the port to itself
      const at = typeof one === "string" ? one : one.address;
      return transports.map((transport) => ({ setting: `${name}.listen`, at, transport }));
    });
    return health === undefined ? served : [...served, { setting: `${name}.health`, at: health, transport: "tcp" }];
  });
}
