import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** The load stands in a namespace of its own, since it binds port 67 as a relay does; the servers at this end. */
const NAMESPACE = "fl-bench-dhcp";
export const DEVICE = "flbench0";
const FAR_DEVICE = "eth0";
export const SERVER = "10.64.0.1";
export const RELAY = "10.64.0.2";
/** A million addresses: every exchange of a run is a client that nobody has seen. */
export const PREFIX = { network: "10.64.0.0", mask: "255.240.0.0", length: 12 } as const;
export const POOL = { first: "10.64.1.0", last: "10.79.255.254" } as const;

/** Lays the link anew. */
export async function layLink(): Promise<void> {
  removeLink();
  await ip("netns", "add", NAMESPACE);
  await ip("link", "add", DEVICE, "type", "veth", "peer", "name", FAR_DEVICE, "netns", NAMESPACE);
  await ip("addr", "add", `${SERVER}/${PREFIX.length}`, "dev", DEVICE);
  await ip("link", "set", DEVICE, "up");
  await ip("-n", NAMESPACE, "addr", "add", `${RELAY}/${PREFIX.length}`, "dev", FAR_DEVICE);
  await ip("-n", NAMESPACE, "link", "set", FAR_DEVICE, "up");
  await ip("-n", NAMESPACE, "link", "set", "lo", "up");
}

function ip(...args: readonly string[]): Promise<unknown> {
  return execute("ip", args);
}

/** Also where there is none. Synchronous, so that an exit may call it. */
export function removeLink(): void {
  spawnSync("ip", ["link", "del", DEVICE], { stdio: "ignore" });
  spawnSync("ip", ["netns", "del", NAMESPACE], { stdio: "ignore" });
}

/** The words that run a command at the load's end. */
export function atLoad(command: string, ...args: readonly string[]): [string, string[]] {
  return ["ip", ["netns", "exec", NAMESPACE, command, ...args]];
}
