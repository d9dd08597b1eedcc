import type { Daemon } from "@firstlight/service";

/** The site's daemons by their verb on the command line; each is loaded only by the process that runs it. */
export const DAEMONS = {
  api: async () => (await import("@firstlight/api")).daemon,
  dhcpd: async () => (await import("@firstlight/dhcpd")).daemon,
  tftpd: async () => (await import("@firstlight/tftpd")).daemon,
  "pxe-http": async () => (await import("@firstlight/pxe-http")).daemon,
  dnsd: async () => (await import("@firstlight/dnsd")).daemon,
  "unbound-config": async () => (await import("@firstlight/unbound-config")).daemon,
  rack: async () => (await import("@firstlight/rack")).daemon,
} as const satisfies Record<string, () => Promise<Daemon>>;

export type DaemonName = keyof typeof DAEMONS;

export const DAEMON_NAMES = Object.keys(DAEMONS) as DaemonName[];

/** The description of each daemon in the help. */
export const ABOUT: Readonly<Record<DaemonName, string>> = {
  api: "the API service: gRPC, machine lifecycle, events",
  dhcpd: "DHCP: addresses and what to boot",
  tftpd: "TFTP: boot loaders for firmware",
  "pxe-http": "iPXE scripts, cloud-init and images over HTTP",
  dnsd: "authoritative DNS of the site's names",
  "unbound-config": "configuration of the site's recursive resolver",
  rack: "a simulated rack, powered on at start",
};

/** Groups of daemons in the order of starting; they stop in reverse order. The resolver and the rack are optional. */
export const WAVES: readonly (readonly DaemonName[])[] = [
  ["api"],
  ["dhcpd", "tftpd", "pxe-http", "dnsd", "unbound-config"],
  ["rack"],
];

/** What `up` starts of them for a site of these sections. */
export function daemonsOf(sections: Readonly<Record<string, unknown>>, hasRack: boolean): ReadonlySet<DaemonName> {
  const { enabled: hasResolver } = (sections["unboundConfig"] ?? {}) as { readonly enabled?: boolean };
  const chosen: Partial<Record<DaemonName, boolean>> = { rack: hasRack, "unbound-config": hasResolver === true };
  return new Set(DAEMON_NAMES.filter((name) => chosen[name] ?? true));
}
