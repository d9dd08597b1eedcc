import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addClient, inside, startRelay } from "./lab.ts";
import type { ScenarioContext, Scenario } from "./scenario.ts";
import { run, sleep, start, type RunningProcess } from "./process.ts";

/** The four real clients: the command of each that runs it in the foreground on `eth0`. */
const CLIENTS = {
  dhclient: (folder: string) => [
    "dhclient",
    "-4",
    "-d",
    "-v",
    "-sf",
    "/bin/true",
    "-lf",
    join(folder, "leases"),
    "-pf",
    join(folder, "pid"),
    "eth0",
  ],
  udhcpc: (folder: string) => ["udhcpc", "-f", "-i", "eth0", "-s", join(folder, "script"), "-t", "20", "-T", "2"],
  dhcpcd: (folder: string) => ["unshare", "-m", "sh", join(folder, "dhcpcd.sh")],
  networkd: (folder: string) => ["unshare", "-m", "sh", join(folder, "networkd.sh")],
} as const;

type Client = keyof typeof CLIENTS;
/** On the server's segment, or behind the relay. */
type Where = "direct" | "relayed";

/** A lease lasts 60 s here, so a client renews 30 s after it was bound, or later on a busy machine. */
const RENEW_MS = 75_000;

export const clients: Scenario = {
  name: "clients",
  short: true,
  async run(context) {
    await using relay = startRelay(context.folder);
    await relay.untilLine(/Sending on|Listening on/, 10_000);
    const runs = (["direct", "relayed"] as const).flatMap((where) =>
      (Object.keys(CLIENTS) as Client[]).map((client) => ({ where, client })),
    );
    const results = await Promise.allSettled(
      runs.map(({ where, client }, i) => leaseAndRenew(context, client, where, `52:54:00:98:00:1${i}`)),
    );
    const faults = results.flatMap((result, i) =>
      result.status === "rejected" ? [`${runs[i]!.client} ${runs[i]!.where}: ${(result.reason as Error).message}`] : [],
    );
    assert.deepEqual(faults, []);
  },
};

interface LeaseJson {
  readonly address: string;
  readonly mac: string;
  readonly state: string;
  readonly segment: string;
  readonly expires: string;
  readonly circuitId?: string;
  readonly giaddr?: string;
}

async function leaseAndRenew(context: ScenarioContext, client: Client, where: Where, mac: string): Promise<void> {
  const short = `${client}-${where === "direct" ? "d" : "r"}`;
  const folder = join(context.folder, short);
  await mkdir(folder, { recursive: true });
  await writeClientFiles(folder);
  const namespace = await addClient(short, where, mac);
  const [command, args] = inside(namespace, CLIENTS[client](folder)[0]!, ...CLIENTS[client](folder).slice(1));
  await using started: RunningProcess = start(short, command, args, join(folder, "log"));

  const first = await untilLease(context, mac, 30_000, (lease) => lease.state === "bound", started);
  assert.equal(first.segment, where === "direct" ? "lab" : "far");
  if (where === "relayed") assert.ok(first.circuitId, "the lease has no circuit-id of the relay");
  const renewed = await untilLease(
    context,
    mac,
    RENEW_MS,
    (lease) => Date.parse(lease.expires) > Date.parse(first.expires),
    started,
  );
  assert.equal(renewed.address, first.address, "the renewal changed the address");
}

async function untilLease(
  context: ScenarioContext,
  mac: string,
  withinMs: number,
  matches: (lease: LeaseJson) => boolean,
  client: RunningProcess,
): Promise<LeaseJson> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(1500)) {
    const leases = await context.site.json<LeaseJson[]>("leases", "list");
    const found = leases.find((lease) => lease.mac === mac && matches(lease));
    if (found) return found;
  }
  throw new Error(
    `no such lease within ${withinMs / 1000} s; the client's last lines: ${client.lines.slice(-3).join(" | ")}`,
  );
}

/** Writes the files that the clients need. */
async function writeClientFiles(folder: string): Promise<void> {
  await writeFile(join(folder, "leases"), "");
  await writeFile(join(folder, "conf"), "ipv4only\nnoarp\nnohook resolv.conf\n");
  await writeFile(
    join(folder, "script"),
    '#!/bin/sh\ncase "$1" in bound|renew) ip addr replace "$ip/${mask:-24}" dev "$interface"; [ -n "$router" ] && ip route replace default via "${router%% *}"; echo "$1 $ip";; esac\n',
    { mode: 0o755 },
  );
  // A second dhcpcd would talk to the first one over its socket, so each has its own folders.
  await writeFile(
    join(folder, "dhcpcd.sh"),
    `mount -t tmpfs tmpfs /run && mkdir -p /var/lib/dhcpcd && mount -t tmpfs tmpfs /var/lib/dhcpcd
exec dhcpcd -4 -B -f ${join(folder, "conf")} -c /bin/true eth0
`,
  );
  // systemd-networkd without systemd or udev: its own /run, and a read-only /sys so that it does not wait for udev.
  await writeFile(
    join(folder, "networkd.sh"),
    `mount -t tmpfs tmpfs /run && mount -o remount,bind,ro /sys 2>/dev/null || mount --bind -o ro /sys /sys
mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
printf '[Match]\\nName=eth0\\n[Network]\\nDHCP=ipv4\\nLinkLocalAddressing=no\\n' > /run/systemd/network/10-e2e.network
chmod -R a+rX /run/systemd; chown -R systemd-network /run/systemd/netif 2>/dev/null
exec /lib/systemd/systemd-networkd
`,
  );
  await run("chmod", ["755", folder]);
}
