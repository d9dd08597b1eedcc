import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Installs the missing ones of these Debian packages without starting their services. Throws without root. */
export async function installPackages(names: readonly string[], print: (line: string) => void): Promise<void> {
  const missing: string[] = [];
  for (const name of new Set(names)) if ((await versionOf(name)) === undefined) missing.push(name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`not root, and Debian packages are missing: ${missing.join(" ")}`);
  print(`installing Debian packages: ${missing.join(" ")}`);
  await execute("apt-get", ["update", "-qq"], { timeout: 300_000 });
  // RUNLEVEL=1: invoke-rc.d then starts no daemon, which would hold the ports of a contender.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  await execute("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], { env, timeout: 300_000 });
}

/** The installed version of a Debian package; `undefined` where it is not installed. */
export async function versionOf(name: string): Promise<string | undefined> {
  try {
    const { stdout } = await execute("dpkg-query", ["-W", "-f", "${db:Status-Status} ${Version}", name]);
    const [status, version] = stdout.split(" ");
    return status === "installed" ? version : undefined;
  } catch {
    return undefined;
  }
}
