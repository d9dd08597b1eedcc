import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** perfdhcp runs in a network namespace of its own, because it binds port 67 as a relay does. The servers run outside of it. */
const NAMESPACE = "fl-bench-dhcp";
export const DEVICE = "flbench0";
const CLIENT_DEVICE = "eth0";
export const SERVER = "10.64.0.1";
export const RELAY = "10.64.0.2";
/** A million addresses, because every exchange of a run is by a new client. */
export const PREFIX = { network: "10.64.0.0", mask: "255.240.0.0", length: 12 } as const;
export const POOL = { first: "10.64.1.0", last: "10.79.255.254" } as const;

/** Creates the veth pair and the namespace; removes those of an earlier run first. */
export async function createLink(): Promise<void> {
  removeLink();
  await ip("netns", "add", NAMESPACE);
  await ip("link", "add", DEVICE, "type", "veth", "peer", "name", CLIENT_DEVICE, "netns", NAMESPACE);
  await ip("addr", "add", `${SERVER}/${PREFIX.length}`, "dev", DEVICE);
  await ip("link", "set", DEVICE, "up");
  await ip("-n", NAMESPACE, "addr", "add", `${RELAY}/${PREFIX.length}`, "dev", CLIENT_DEVICE);
  await ip("-n", NAMESPACE, "link", "set", CLIENT_DEVICE, "up");
  await ip("-n", NAMESPACE, "link", "set", "lo", "up");
}

function ip(...args: readonly string[]): Promise<unknown> {
  return execute("ip", args);
}

/** Does nothing where there is none. Synchronous, so that an `exit` handler may call it. */
export function removeLink(): void {
  spawnSync("ip", ["link", "del", DEVICE], { stdio: "ignore" });
  spawnSync("ip", ["netns", "del", NAMESPACE], { stdio: "ignore" });
}

/** Command and arguments that run `command` in perfdhcp's namespace. */
export function inClientNamespace(command: string, ...args: readonly string[]): [string, string[]] {
  return ["ip", ["netns", "exec", NAMESPACE, command, ...args]];
}
