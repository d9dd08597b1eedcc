import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { Bench, Report } from "./contract.ts";
import { versionOf } from "./packages.ts";

/** The machine that the figures were measured on, and the versions of the peers' packages. */
export async function machineFacts({ packages, contenders }: Bench): Promise<Report["machine"]> {
  const facts: Record<string, string | number> = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    kernel: release(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown",
    node: process.version,
  };
  for (const name of new Set([...packages, ...contenders.flatMap((one) => one.packages)])) {
    const version = await versionOf(name);
    if (version !== undefined) facts[name] = version;
  }
  return facts;
}
