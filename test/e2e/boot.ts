import assert from "node:assert/strict";
import { biosDisk, DISK_MARKER, efiDisk } from "./disk.ts";
import { type Firmware, powerOn } from "./machine.ts";
import type { ScenarioContext, MachineJson, Scenario } from "./scenario.ts";
import { sleep } from "./process.ts";

/** One machine of the suite. */
interface BootCase {
  readonly name: string;
  readonly firmware: Firmware;
  readonly short: boolean;
  readonly index: number;
  /** After it is Ready, the machine boots again, from this disk. */
  readonly disk?: (folder: string) => Promise<string>;
}

const CASES: readonly BootCase[] = [
  { name: "bios", firmware: "seabios-ipxe", short: true, index: 1, disk: biosDisk },
  { name: "http", firmware: "ovmf-http", short: false, index: 2 },
  { name: "pxe", firmware: "ovmf-pxe", short: true, index: 3, disk: efiDisk },
];

/** A boot takes 11 to 25 s; on a busy machine three times as long. */
const BOOT_MS = 180_000;

export const boots: readonly Scenario[] = CASES.map((boot) => ({
  name: boot.name,
  short: boot.short,
  expects: { name: `e2e-${boot.name}`, mac: macOf(boot.index) },
  run: (context) => runBoot(boot, context),
}));

function macOf(index: number): string {
  return `52:54:00:99:00:0${index}`;
}

interface EventJson {
  readonly kind: string;
  readonly detail?: Readonly<Record<string, string>>;
}

async function runBoot(boot: BootCase, { site, folder, cache }: ScenarioContext): Promise<void> {
  const name = `e2e-${boot.name}`;
  const disk = boot.disk ? await boot.disk(cache) : undefined;
  await using machine = await powerOn({
    firmware: boot.firmware,
    mac: macOf(boot.index),
    uuid: `00000000-0000-4000-8000-00000000000${boot.index}`,
    logDir: folder,
    ...(disk ? { disk } : {}),
  });
  const ready = await machine.untilLine(/E2E (READY .* ok|FAILED .*)/, BOOT_MS);
  assert.match(ready, /E2E READY discover/, `the guest reported: ${ready}`);

  const shown = await site.json<MachineJson>("machines", "show", name);
  assert.match(shown.state, /ready/i, `the API shows ${name} as ${shown.state}`);
  const [address, fqdn] = [shown.interfaces[0]?.address, shown.interfaces[0]?.fqdn];
  assert.ok(address && ready.includes(address), `the API's address ${address} is not the guest's: ${ready}`);
  assert.ok(fqdn && ready.includes(fqdn), `the API's name ${fqdn} is not the guest's: ${ready}`);

  if (!disk) return;
  await machine.untilLine(new RegExp(DISK_MARKER), BOOT_MS);
  await machine.stop("SIGKILL");
  await assertBothBoots(name, site);
}

/** Waits until the timeline shows a boot into discovery, its phone-home, and a later boot to the local disk. */
async function assertBothBoots(name: string, site: ScenarioContext["site"]): Promise<void> {
  let actions: string[] = [];
  for (let tries = 0; tries < 20; tries++) {
    const events = await site.json<EventJson[]>("machines", "timeline", name);
    actions = events.flatMap(({ kind, detail }) =>
      kind === "pxe.script" ? [detail?.action ?? ""] : kind === "pxe.phone-home" ? ["home"] : [],
    );
    const home = actions.indexOf("home");
    if (
      actions.indexOf("discover") >= 0 &&
      home > actions.indexOf("discover") &&
      actions.indexOf("local-disk", home) > home
    )
      return;
    await sleep(500);
  }
  assert.fail(`the timeline of ${name} does not show both boots: ${actions.join(", ")}`);
}
