import { fleet } from "@firstlight/rack";
import { stringify } from "yaml";
import { freePort, type Transport } from "../process/ports.ts";

/** The ports of an all-in-one site: none needs a privilege. */
export const PORTS = {
  api: { port: 7070, transports: ["tcp"] },
  apiHealth: { port: 7170, transports: ["tcp"] },
  dhcpd: { port: 6767, transports: ["udp"] },
  dhcpdHealth: { port: 7167, transports: ["tcp"] },
  tftpd: { port: 6969, transports: ["udp"] },
  tftpdHealth: { port: 7169, transports: ["tcp"] },
  pxeHttp: { port: 7080, transports: ["tcp"] },
  pxeHttpHealth: { port: 7180, transports: ["tcp"] },
  dnsd: { port: 7053, transports: ["udp", "tcp"] },
  dnsdHealth: { port: 7153, transports: ["tcp"] },
} as const satisfies Record<string, { port: number; transports: readonly Transport[] }>;

export type Ports = Readonly<Record<keyof typeof PORTS, number>>;

export const DOMAIN = "rack.internal";
const SERVER = "127.0.0.1";

/** The underlay inside 127.64.0.0/10: on Linux every machine and relay binds its own address there without a privilege. */
export const SEGMENTS = [
  { name: "bmc", kind: "underlay", prefix: "127.64.0.0/16", gateway: "127.64.0.1", boots: false },
  { name: "dpu", kind: "underlay", prefix: "127.65.0.0/16", gateway: "127.65.0.1", boots: true },
  { name: "host", kind: "host_inband", prefix: "127.66.0.0/16", gateway: "127.66.0.1", boots: true },
] as const;

/** The default ports, each replaced by a free one where somebody else has it; `moved` says which. */
export async function choosePorts(): Promise<{ ports: Ports; moved: readonly string[] }> {
  const taken = new Set<number>();
  const moved: string[] = [];
  const chosen: Record<string, number> = {};
  for (const [name, { port, transports }] of Object.entries(PORTS)) {
    const free = await freePort(SERVER, port, transports, taken);
    taken.add(free);
    chosen[name] = free;
    if (free !== port) moved.push(`${name}: ${port} is taken, ${free} instead`);
  }
  return { ports: chosen as Ports, moved };
}

const HEADER = `# The embedded site, as \`firstlight up\` started it; written anew at each start.
# To change it: copy it elsewhere, edit, and start with \`firstlight up --config FILE\`.
# What every setting means: \`firstlight config defaults\`.
`;

export interface EmbeddedSite {
  readonly machines: number;
  readonly ports: Ports;
  /** How long the rack tries to boot. */
  readonly deadlineSeconds: number;
}

/** The embedded site's configuration as a file. A function of its arguments; `fleet` names the machines. */
export function embeddedSite({ ports, machines, deadlineSeconds }: EmbeddedSite): string {
  const at = (port: number): string => `${SERVER}:${port}`;
  const site = {
    site: { name: "lab", stateDir: ".", drainSeconds: 2 },
    apiEndpoint: at(ports.api),
    api: { listen: at(ports.api), health: at(ports.apiHealth) },
    dhcpd: {
      listen: [{ address: at(ports.dhcpd) }],
      serverId: SERVER,
      nextServer: SERVER,
      health: at(ports.dhcpdHealth),
    },
    tftpd: { listen: at(ports.tftpd), health: at(ports.tftpdHealth) },
    pxeHttp: { listen: at(ports.pxeHttp), baseUrl: `http://${at(ports.pxeHttp)}`, health: at(ports.pxeHttpHealth) },
    dnsd: { listen: [at(ports.dnsd)], health: at(ports.dnsdHealth) },
    rack: {
      machines,
      deadlineSeconds,
      servers: { dhcp: at(ports.dhcpd), tftpPort: ports.tftpd, dns: at(ports.dnsd) },
      segments: Object.fromEntries(SEGMENTS.map(({ name, gateway }) => [name, { gateway }])),
    },
    ipam: {
      domains: [{ name: DOMAIN, nameServers: ["ns1"] }],
      segments: SEGMENTS.map(({ name, kind, prefix, gateway, boots }) => ({
        name,
        kind,
        domain: DOMAIN,
        boots,
        policy: "retained",
        prefixes: [{ prefix, gateway, reserved: 16 }],
        options: { domainNameServers: [SERVER] },
      })),
    },
    expectedMachines: fleet(machines),
  };
  return HEADER + stringify(site, { lineWidth: 120, aliasDuplicateObjects: false });
}
