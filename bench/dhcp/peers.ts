import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { Contender, Place, Serving } from "../harness/contract.ts";
import { startDatabase } from "../harness/firstlight.ts";
import { type Pinned, startPinned } from "../harness/process.ts";
import { DEVICE, POOL, PREFIX, SERVER } from "./link.ts";

const LEASE_SECONDS = 3600;

/** Kea as Debian ships it, one thread, as its own documentation has it for one core. Its lease file is not synced. */
export const keaMemfile: Contender = {
  name: "kea-memfile",
  peer: "kea-memfile",
  packages: ["kea-dhcp4-server"],
  async start(place) {
    const database = { type: "memfile", persist: true, name: join(place.folder, "leases.csv"), "lfc-interval": 3600 };
    return serving(await startKea(place, database));
  },
};

/** The same on a real PostgreSQL with its durable defaults: the very binaries that ours runs on, on the same core. */
export const keaPostgresql: Contender = {
  name: "kea-postgresql",
  peer: "kea-postgresql",
  packages: ["kea-dhcp4-server", "kea-admin"],
  async start(place) {
    const postgres = await startDatabase(place);
    const url = new URL(postgres.url);
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(plain(await readFile("/usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql", "utf8")));
    await client.end();
    const { username: user, password, hostname: host, port } = url;
    const name = url.pathname.slice(1);
    const kea = await startKea(place, { type: "postgresql", name, user, password, host, port: Number(port) });
    return serving(kea, postgres);
  },
};

/** Kea's script without what only psql understands. */
function plain(script: string): string {
  return script
    .split("\n")
    .filter((line) => !line.startsWith("\\"))
    .join("\n");
}

export const dnsmasq: Contender = {
  name: "dnsmasq",
  peer: "dnsmasq",
  packages: ["dnsmasq-base"],
  async start(place) {
    const args = ["--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--port=0", "--pid-file="];
    const on = ["--bind-interfaces", `--interface=${DEVICE}`, "--except-interface=lo", "--no-ping", "--log-facility=-"];
    const range = `--dhcp-range=${POOL.first},${POOL.last},${PREFIX.mask},${LEASE_SECONDS}`;
    const most = ["--dhcp-lease-max=1000000", `--dhcp-leasefile=${join(place.folder, "leases")}`, "--quiet-dhcp"];
    const process = startPinned("dnsmasq", "/usr/sbin/dnsmasq", [...args, ...on, range, ...most], place);
    await process.until(/DHCP, IP range/);
    return serving(process);
  },
};

/** ISC dhcpd syncs each lease to disk before its ACK. */
export const iscDhcpd: Contender = {
  name: "isc-dhcpd",
  peer: "isc-dhcpd",
  packages: ["isc-dhcp-server"],
  async start(place) {
    await chmod(place.folder, 0o755);
    const [config, leases] = [join(place.folder, "dhcpd.conf"), join(place.folder, "leases")];
    const range = "range 10.64.1.0 10.64.255.254;"; // a table of every address is made at start: it needs no million
    await writeFile(
      config,
      `authoritative; ping-check false; default-lease-time ${LEASE_SECONDS}; max-lease-time ${LEASE_SECONDS};
subnet ${PREFIX.network} netmask ${PREFIX.mask} { ${range} }\n`,
    );
    await writeFile(leases, "");
    const files = ["-cf", config, "-lf", leases, "--no-pid"];
    const process = startPinned("isc-dhcpd", "/usr/sbin/dhcpd", ["-4", "-f", "-d", ...files, DEVICE], place);
    await process.until(/Sending on +LPF/);
    await process.until(/Server starting service|Sending on/);
    return serving(process);
  },
};

async function startKea(place: Place, database: Readonly<Record<string, unknown>>): Promise<Pinned> {
  const file = join(place.folder, "kea.json");
  const run = join(place.folder, "run");
  await mkdir(run);
  const config = {
    Dhcp4: {
      "interfaces-config": { interfaces: [`${DEVICE}/${SERVER}`], "dhcp-socket-type": "udp" },
      "lease-database": database,
      "valid-lifetime": LEASE_SECONDS,
      "multi-threading": { "enable-multi-threading": false },
      subnet4: [
        { id: 1, subnet: `${PREFIX.network}/${PREFIX.length}`, pools: [{ pool: `${POOL.first} - ${POOL.last}` }] },
      ],
      loggers: [{ name: "kea-dhcp4", severity: "INFO", output_options: [{ output: "stdout" }] }],
    },
  };
  await writeFile(file, JSON.stringify(config));
  const env = { ...process.env, KEA_PIDFILE_DIR: run, KEA_LOCKFILE_DIR: run };
  const kea = startPinned("kea-dhcp4", "/usr/sbin/kea-dhcp4", ["-c", file], { ...place, env });
  await kea.until(/DHCP4_STARTED/);
  return kea;
}

/** A server and what it stands on, stopped in that order. */
function serving(server: Pinned, below?: AsyncDisposable & { readonly pid: number }): Serving {
  return {
    pids: () => [server.pid, ...(below ? [below.pid] : [])],
    async [Symbol.asyncDispose]() {
      await server.stop();
      await below?.[Symbol.asyncDispose]();
    },
  };
}
