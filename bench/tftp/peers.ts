import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Contender, Peer, Place, Serving } from "../harness/contract.ts";
import { openAccount } from "../harness/account.ts";
import { startPinned } from "../harness/process.ts";
import { PORT, writeContent } from "./content.ts";
import { answers } from "./fetch.ts";

interface Recipe {
  readonly name: Peer;
  readonly packages: readonly string[];
  /** What is run, in words. */
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
    packages: [], // Debian's cannot be installed beside tftpd-hpa: it is unpacked into its folder
    command: (root, folder) =>
      `${unpacked("atftpd", folder)}/usr/sbin/atftpd --daemon --no-fork --logfile - --user root --group root ` +
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
  start: (place) => start(recipe, place),
}));

async function start({ name, command }: Recipe, place: Place): Promise<Serving> {
  const { folder, core } = place;
  const root = join(folder, "files");
  chmodSync(folder, 0o755);
  mkdirSync(root, { mode: 0o755 });
  writeContent(root);
  const account = openAccount(`firstlight-bench-${name}`); // in.tftpd's children end without being waited for
  const counted = account ? `echo $$ > ${account.members} && ` : "";
  const server = startPinned(name, "sh", ["-c", `${counted}exec ${command(root, folder)}`], { core, folder });
  try {
    await answers(place);
  } catch (fault) {
    await server.stop();
    throw new Error(`${name}: ${server.lines.slice(-5).join(" | ")}`, { cause: fault });
  }
  return {
    pids: () => [server.pid],
    ...(account && { cpuSeconds: () => account.cpuSeconds() }),
    async [Symbol.asyncDispose]() {
      await server.stop();
      account?.[Symbol.dispose]();
    },
  };
}

function unpacked(name: string, folder: string): string {
  const to = join(folder, name);
  mkdirSync(to);
  execFileSync("apt-get", ["download", "-qq", name], { cwd: to, stdio: "ignore" });
  execFileSync("sh", ["-c", "dpkg-deb -x *.deb ."], { cwd: to });
  return to;
}
