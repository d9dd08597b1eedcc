import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { Contender, Placement, RunningServer } from "../harness/contract.ts";
import { startDatabase } from "../harness/firstlight.ts";
import { type PinnedProcess, startPinned } from "../harness/process.ts";
import { DEVICE, POOL, PREFIX, SERVER } from "./link.ts";

const LEASE_SECONDS = 3600;

/** Kea as Debian ships it, with one thread, as its documentation recommends for one core. It does not sync its lease file. */
export const keaMemfile: Contender = {
  name: "kea-memfile",
  peer: "kea-memfile",
  packages: ["kea-dhcp4-server"],
  async start(placement) {
    const database = {
      type: "memfile",
      persist: true,
      name: join(placement.folder, "leases.csv"),
      "lfc-interval": 3600,
    };
    return runningServer(await startKea(placement, database));
  },
};

/** Kea on PostgreSQL with its durable defaults: the same binaries as ours uses, on the same core. */
export const keaPostgresql: Contender = {
  name: "kea-postgresql",
  peer: "kea-postgresql",
  packages: ["kea-dhcp4-server", "kea-admin"],
  async start(placement) {
    const postgres = await startDatabase(placement);
    const url = new URL(postgres.url);
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(withoutPsqlCommands(await readFile("/usr/share/kea/scripts/pgsql/dhcpdb_create.pgsql", "utf8")));
    await client.end();
    const { username: user, password, hostname: host, port } = url;
    const name = url.pathname.slice(1);
    const kea = await startKea(placement, { type: "postgresql", name, user, password, host, port: Number(port) });
    return runningServer(kea, postgres);
  },
};

/** Kea's schema without psql's own commands (lines that begin with a backslash). */
function withoutPsqlCommands(script: string): string {
  return script
    .split("\n")
    .filter((line) => !line.startsWith("\\"))
    .join("\n");
}

export const dnsmasq: Contender = {
  name: "dnsmasq",
  peer: "dnsmasq",
  packages: ["dnsmasq-base"],
  async start(placement) {
    const args = ["--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--port=0", "--pid-file="];
    const listen = [
      "--bind-interfaces",
      `--interface=${DEVICE}`,
      "--except-interface=lo",
      "--no-ping",
      "--log-facility=-",
    ];
    const range = `--dhcp-range=${POOL.first},${POOL.last},${PREFIX.mask},${LEASE_SECONDS}`;
    const limits = ["--dhcp-lease-max=1000000", `--dhcp-leasefile=${join(placement.folder, "leases")}`, "--quiet-dhcp"];
    const process = startPinned("dnsmasq", "/usr/sbin/dnsmasq", [...args, ...listen, range, ...limits], placement);
    await process.untilLine(/DHCP, IP range/);
    return runningServer(process);
  },
};

/** ISC dhcpd syncs each lease to disk before its ACK. */
export const iscDhcpd: Contender = {
  name: "isc-dhcpd",
  peer: "isc-dhcpd",
  packages: ["isc-dhcp-server"],
  async start(placement) {
    await chmod(placement.folder, 0o755);
    const [config, leases] = [join(placement.folder, "dhcpd.conf"), join(placement.folder, "leases")];
    const range = "range 10.64.1.0 10.64.255.254;"; // dhcpd builds a table of every address at its start, so the range is smaller
    await writeFile(
      config,
      `authoritative; ping-check false; default-lease-time ${LEASE_SECONDS}; max-lease-time ${LEASE_SECONDS};
subnet ${PREFIX.network} netmask ${PREFIX.mask} { ${range} }\n`,
    );
    await writeFile(leases, "");
    const files = ["-cf", config, "-lf", leases, "--no-pid"];
    const process = startPinned("isc-dhcpd", "/usr/sbin/dhcpd", ["-4", "-f", "-d", ...files, DEVICE], placement);
    await process.untilLine(/Sending on +LPF/);
    await process.untilLine(/Server starting service|Sending on/);
    return runningServer(process);
  },
};

async function startKea(placement: Placement, database: Readonly<Record<string, unknown>>): Promise<PinnedProcess> {
  const file = join(placement.folder, "kea.json");
  const run = join(placement.folder, "run");
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
  const kea = startPinned("kea-dhcp4", "/usr/sbin/kea-dhcp4", ["-c", file], { ...placement, env });
  await kea.untilLine(/DHCP4_STARTED/);
  return kea;
}

/** A server and its database; disposal stops them in this order. */
function runningServer(server: PinnedProcess, database?: AsyncDisposable & { readonly pid: number }): RunningServer {
  return {
    pids: () => [server.pid, ...(database ? [database.pid] : [])],
    async [Symbol.asyncDispose]() {
      await server.stop();
      await database?.[Symbol.asyncDispose]();
    },
  };
}
