/**
 * `npm run e2e`: boots real firmware and runs real clients against a whole site, in network namespaces. Needs root on Debian.
 *
 *   npm run e2e                    every scenario
 *   npm run e2e -- --short         the scenarios that CI runs
 *   npm run e2e -- --only pxe      one scenario, by name
 *
 * Prints one line per scenario. Captures and logs of a failure are kept in `.e2e/`; `--keep` keeps them always.
 */
import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { boots } from "./boot.ts";
import { clients } from "./clients.ts";
import { buildGuest } from "./guest.ts";
import { buildLab, capture, clearLab } from "./lab.ts";
import { installPackages } from "./packages.ts";
import type { Scenario } from "./scenario.ts";
import { startSite, startUnbound } from "./site.ts";
import { tools } from "./tools.ts";

const SCENARIOS: readonly Scenario[] = [...boots, clients, tools];
const WORK_FOLDER = resolve(import.meta.dirname, "../../.e2e");

const { values } = parseArgs({
  options: { only: { type: "string" }, short: { type: "boolean" }, keep: { type: "boolean" } },
});
const selected = SCENARIOS.filter(({ name, short }) => (values.only ? name === values.only : !values.short || short));
if (selected.length === 0) {
  console.error(`no scenario ${values.only}; scenarios: ${SCENARIOS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  console.error("e2e creates network namespaces: run it as root");
  process.exit(2);
}

await installPackages();
await clearLab();
process.once("SIGINT", () => void clearLab().then(() => process.exit(130)));
let failed = 1;
try {
  failed = await runAll();
} catch (fault) {
  console.log(`FAIL lab ${(fault as Error).message}`);
} finally {
  await clearLab();
}
console.log(`${selected.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function runAll(): Promise<number> {
  const folder = join(WORK_FOLDER, "run");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const guest = await buildGuest(join(WORK_FOLDER, "cache"));
  await buildLab();
  const site = await startSite(
    folder,
    guest,
    SCENARIOS.flatMap(({ expects }) => (expects ? [expects] : [])),
  );
  await using unbound = await startUnbound(site, folder);
  let failures = 0;
  for (const scenario of selected) failures += (await runOne(scenario, site, folder)) ? 0 : 1;
  await unbound.stop();
  await site.process.stop("SIGINT", 30_000);
  if (failures === 0 && !values.keep) await rm(folder, { recursive: true, force: true });
  else console.log(`logs and captures: ${folder}`);
  return failures;
}

async function runOne(
  scenario: Scenario,
  site: Awaited<ReturnType<typeof startSite>>,
  parent: string,
): Promise<boolean> {
  const folder = join(parent, scenario.name);
  await mkdir(folder, { recursive: true });
  const began = Date.now();
  const dump = await capture(folder);
  try {
    await scenario.run({ site, folder, cache: join(WORK_FOLDER, "cache") });
    console.log(`ok ${scenario.name} ${((Date.now() - began) / 1000).toFixed(1)}`);
    return true;
  } catch (fault) {
    console.log(`FAIL ${scenario.name} ${(fault as Error).message.replaceAll("\n", " ")}`);
    return false;
  } finally {
    await dump.stop("SIGINT");
  }
}
