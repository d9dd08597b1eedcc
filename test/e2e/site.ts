import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { BRIDGE, FAR, inside, LAB, SERVER } from "./lab.ts";
import type { Guest } from "./guest.ts";
import { run, start, type RunningProcess } from "./process.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const NODE = join(ROOT, "node_modules/.bin/node");
const BINARY = join(ROOT, "packages/site/src/main.ts");

export const DOMAIN = "e2e.internal";
export const HTTP_PORT = 8080;
export const DNS_PORT = 7053;

/** The running site. */
export interface Site {
  readonly process: RunningProcess;
  readonly stateDir: string;
  /** Runs `firstlight ARGS` as the operator and returns its standard output. */
  cli(...args: string[]): Promise<string>;
  /** As `cli`, with `--json`, parsed. */
  json<T>(...args: string[]): Promise<T>;
}

/** A host to declare as an expected machine. */
export interface Expected {
  readonly name: string;
  readonly mac: string;
}

/** The site's file for this lab: privileged ports, the bridge, and unbound as resolver. */
function configuration(stateDir: string, expected: readonly Expected[]): string {
  const machines = expected
    .map(({ name, mac }) => `  - name: ${name}\n    interfaces: [{ mac: "${mac}", role: host }]`)
    .join("\n");
  return `site: { name: e2e, stateDir: ${stateDir} }
ipam:
  domains:
    - name: ${DOMAIN}
  segments:
    - name: lab
      kind: host_inband
      domain: ${DOMAIN}
      leaseSeconds: 60
      prefixes: [{ prefix: ${LAB.prefix}, gateway: ${LAB.gateway}, reserved: 10 }]
      options: { domainNameServers: [${LAB.gateway}] }
    - name: far
      kind: underlay
      domain: ${DOMAIN}
      leaseSeconds: 60
      prefixes: [{ prefix: ${FAR.prefix}, gateway: ${FAR.gateway}, reserved: 10 }]
      options: { domainNameServers: [${LAB.gateway}] }
expectedMachines:
${machines}
dhcpd:
  listen:
    - { address: "0.0.0.0:67", device: ${BRIDGE}, segmentAddress: ${LAB.gateway} }
  serverId: ${LAB.gateway}
  nextServer: ${LAB.gateway}
  bootUrl: http://${LAB.gateway}:${HTTP_PORT}
tftpd:
  listen: ${LAB.gateway}:69
pxeHttp:
  listen: ${LAB.gateway}:${HTTP_PORT}
  baseUrl: http://${LAB.gateway}:${HTTP_PORT}
  waitSeconds: 3
dnsd:
  listen: ["127.0.0.1:${DNS_PORT}", "${LAB.gateway}:${DNS_PORT}"]
unboundConfig:
  enabled: true
  file: ${stateDir}/unbound.conf
  interfaces: [${LAB.gateway}]
  dnsd: ["127.0.0.1:${DNS_PORT}"]
  controlSocket: ${stateDir}/unbound.ctl
`;
}

/** Starts the whole site in the server namespace and waits until it is up. */
export async function startSite(folder: string, guest: Guest, expected: readonly Expected[]): Promise<Site> {
  const stateDir = join(folder, "state");
  const file = join(folder, "site.yaml");
  await mkdir(stateDir, { recursive: true });
  await writeFile(file, configuration(stateDir, expected));
  await putArtefacts(join(stateDir, "artefacts"), guest);
  const [command, args] = inside(SERVER, NODE, BINARY, "up", "--config", file);
  const site = start("firstlight up", command, args, join(folder, "site.log"));
  await site.untilLine(/endpoints|site is up/i, 120_000);
  const cli = (...words: string[]): Promise<string> => {
    const context = join(stateDir, "operator/context.yaml");
    const [program, rest] = inside(SERVER, NODE, BINARY, ...words, "--context", context);
    return run(program, rest, { timeoutMs: 30_000 });
  };
  return { process: site, stateDir, cli, json: async (...words) => JSON.parse(await cli(...words, "--json")) };
}

async function putArtefacts(folder: string, guest: Guest): Promise<void> {
  await mkdir(join(folder, "ipxe"), { recursive: true });
  for (const name of ["undionly.kpxe", "snponly.efi"])
    await copyFile(`/usr/lib/ipxe/${name}`, join(folder, "ipxe", name));
  for (const image of ["discovery", "cleanup"]) {
    for (const arch of ["i386", "x86_64"]) {
      await mkdir(join(folder, image, arch), { recursive: true });
      await copyFile(guest.kernel, join(folder, image, arch, "vmlinuz"));
      await copyFile(guest.initrd, join(folder, image, arch, "initrd"));
    }
  }
}

/** Starts unbound with the file that unbound-config wrote. */
export async function startUnbound(site: Site, folder: string): Promise<RunningProcess> {
  const [command, args] = inside(SERVER, "unbound", "-d", "-p", "-c", join(site.stateDir, "unbound.conf"));
  const unbound = start("unbound", command, args, join(folder, "unbound.log"));
  await unbound.untilLine(/start of service/, 20_000);
  return unbound;
}
