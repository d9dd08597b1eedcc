import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Contender, Peer, Placement, RunningServer } from "../harness/contract.ts";
import { openCpuGroup } from "../harness/cgroup.ts";
import { startPinned } from "../harness/process.ts";
import { PORT, writeContent } from "./content.ts";
import { untilServing } from "./fetch.ts";

/** How one peer is started. */
interface Recipe {
  readonly name: Peer;
  readonly packages: readonly string[];
  /** Shell command that starts the peer. */
  readonly command: (root: string, folder: string) => string;
}

const RECIPES: readonly Recipe[] = [
  {
    name: "tftpd-hpa",
    packages: ["tftpd-hpa"],
    command: (root) => `/usr/sbin/in.tftpd -L -4 -a 127.0.0.1:${PORT} -u root -s ${root}`,
  },
  {
    name: "atftpd",
    packages: [], // Debian's package cannot be installed beside tftpd-hpa, so it is unpacked into the contender's folder
    command: (root, folder) =>
      `${unpackDebianPackage("atftpd", folder)}/usr/sbin/atftpd --daemon --no-fork --logfile - --user root --group root ` +
      `--bind-address 127.0.0.1 --port ${PORT} --maxthread 1000 ${root}`,
  },
  {
    name: "dnsmasq",
    packages: ["dnsmasq-base"],
    command: (root) =>
      "/usr/sbin/dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --port=0 --pid-file= " +
      `--listen-address=127.0.0.1 --bind-interfaces --enable-tftp --tftp-root=${root} --tftp-max=1000`,
  },
];

export const peers: readonly Contender[] = RECIPES.map((recipe) => ({
  name: recipe.name,
  peer: recipe.name,
  packages: recipe.packages,
  start: (placement) => start(recipe, placement),
}));

async function start({ name, command }: Recipe, placement: Placement): Promise<RunningServer> {
  const { folder, core } = placement;
  const root = join(folder, "files");
  chmodSync(folder, 0o755);
  mkdirSync(root, { mode: 0o755 });
  writeContent(root);
  const cpuGroup = openCpuGroup(`firstlight-bench-${name}`); // in.tftpd does not wait for its children
  const joinGroup = cpuGroup ? `echo $$ > ${cpuGroup.members} && ` : "";
  const server = startPinned(name, "sh", ["-c", `${joinGroup}exec ${command(root, folder)}`], { core, folder });
  try {
    await untilServing(placement);
  } catch (fault) {
    await server.stop();
    throw new Error(`${name}: ${server.lines.slice(-5).join(" | ")}`, { cause: fault });
  }
  return {
    pids: () => [server.pid],
    ...(cpuGroup && { cpuSeconds: () => cpuGroup.cpuSeconds() }),
    async [Symbol.asyncDispose]() {
      await server.stop();
      cpuGroup?.[Symbol.dispose]();
    },
  };
}

function unpackDebianPackage(name: string, folder: string): string {
  const to = join(folder, name);
  mkdirSync(to);
  execFileSync("apt-get", ["download", "-qq", name], { cwd: to, stdio: "ignore" });
  execFileSync("sh", ["-c", "dpkg-deb -x *.deb ."], { cwd: to });
  return to;
}
