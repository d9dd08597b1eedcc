import { join } from "node:path";
import { attempt, run, sleep, start, type RunningProcess } from "./process.ts";

/** Prefix of the suite's network namespaces, by which they are found and removed, also after a crash. */
const PREFIX = "fl-e2e-";
export const SERVER = `${PREFIX}srv`;
export const RELAY = `${PREFIX}rel`;
export const BRIDGE = "br0";
export const FAR_BRIDGE = "far0";
/** LAB is the server's own segment, FAR the segment behind the relay. */
export const LAB = { gateway: "10.99.0.1", prefix: "10.99.0.0/24", relay: "10.99.0.2" } as const;
export const FAR = { gateway: "10.98.1.1", prefix: "10.98.1.0/24" } as const;

/** Command and arguments that run `command` in a network namespace. */
export function inside(namespace: string, command: string, ...args: string[]): [string, string[]] {
  return ["ip", ["netns", "exec", namespace, command, ...args]];
}

/** Runs `ip` in a network namespace and returns its output. */
export async function ip(namespace: string, ...args: string[]): Promise<string> {
  return run("ip", ["-n", namespace, ...args]);
}

/** Ends all processes in the suite's namespaces and removes the namespaces. */
export async function clearLab(): Promise<void> {
  const list = (await attempt("ip", ["netns", "list"])) ?? "";
  for (const name of list.split("\n").map((line) => line.split(" ")[0]!)) {
    if (!name.startsWith(PREFIX)) continue;
    for (const signal of ["-TERM", "-KILL"]) {
      const pids = ((await attempt("ip", ["netns", "pids", name])) ?? "").split("\n").filter(Boolean);
      if (pids.length === 0) break;
      await attempt("kill", [signal, ...pids]);
      await sleep(signal === "-TERM" ? 1500 : 200);
    }
    await attempt("ip", ["netns", "del", name]);
  }
}

/** Creates the server's namespace, with a bridge and a tap for machines, and the relay's namespace between it and the far bridge. */
export async function buildLab(): Promise<void> {
  for (const name of [SERVER, RELAY]) {
    await run("ip", ["netns", "add", name]);
    await ip(name, "link", "set", "lo", "up");
  }
  await ip(SERVER, "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0");
  await ip(SERVER, "addr", "add", `${LAB.gateway}/24`, "dev", BRIDGE);
  await ip(SERVER, "link", "set", BRIDGE, "up");
  await ip(SERVER, "tuntap", "add", "tap0", "mode", "tap");
  await ip(SERVER, "link", "set", "tap0", "master", BRIDGE, "up");

  await ip(SERVER, "link", "add", "rel0", "type", "veth", "peer", "name", "up0", "netns", RELAY);
  await ip(SERVER, "link", "set", "rel0", "master", BRIDGE, "up");
  await ip(RELAY, "addr", "add", `${LAB.relay}/24`, "dev", "up0");
  await ip(RELAY, "link", "set", "up0", "up");
  await ip(RELAY, "link", "add", FAR_BRIDGE, "type", "bridge", "forward_delay", "0");
  await ip(RELAY, "addr", "add", `${FAR.gateway}/24`, "dev", FAR_BRIDGE);
  await ip(RELAY, "link", "set", FAR_BRIDGE, "up");
  await run(...inside(RELAY, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"));
  await ip(SERVER, "route", "add", FAR.prefix, "via", LAB.relay);
}

/** Creates a client's namespace with one link, `eth0`, on the server's bridge or on the far bridge. Returns its name. */
export async function addClient(name: string, where: "direct" | "relayed", mac: string): Promise<string> {
  const namespace = `${PREFIX}${name}`;
  const [peerNamespace, bridge] = where === "direct" ? [SERVER, BRIDGE] : [RELAY, FAR_BRIDGE];
  await run("ip", ["netns", "add", namespace]);
  await ip(namespace, "link", "set", "lo", "up");
  await ip(
    peerNamespace,
    "link",
    "add",
    `c-${name}`.slice(0, 15),
    "type",
    "veth",
    "peer",
    "name",
    "eth0",
    "netns",
    namespace,
  );
  await ip(peerNamespace, "link", "set", `c-${name}`.slice(0, 15), "master", bridge, "up");
  await ip(namespace, "link", "set", "eth0", "address", mac);
  await ip(namespace, "link", "set", "eth0", "up");
  return namespace;
}

/** Starts ISC dhcrelay, with option 82, between the far segment and the server. */
export function startRelay(logDir: string): RunningProcess {
  const [command, args] = inside(
    RELAY,
    "dhcrelay",
    "-4",
    "-d",
    "-a",
    "-m",
    "append",
    "-id",
    FAR_BRIDGE,
    "-iu",
    "up0",
    "--no-pid",
    LAB.gateway,
  );
  return start("dhcrelay", command, args, join(logDir, "dhcrelay.log"));
}

/** Captures the bridge's packets into `bridge.pcap`. Resolves once tcpdump listens; earlier packets are lost. */
export async function capture(logDir: string): Promise<RunningProcess> {
  const file = join(logDir, "bridge.pcap");
  const [command, args] = inside(
    SERVER,
    "tcpdump",
    "--immediate-mode",
    "-Z",
    "root",
    "-U",
    "-s",
    "640",
    "-i",
    BRIDGE,
    "-w",
    file,
  );
  const dump = start("tcpdump", command, args, join(logDir, "tcpdump.log"));
  await dump.untilLine(/listening on/, 15_000);
  return dump;
}
