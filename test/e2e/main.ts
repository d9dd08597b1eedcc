/**
 * `npm run e2e`: real firmware and real clients against a whole site, in network namespaces of its own. Root, Debian.
 *
 *   npm run e2e                    every scenario
 *   npm run e2e -- --short         the ones CI runs
 *   npm run e2e -- --only pxe      one of them, by name
 *
 * One line a scenario; captures and logs of a failure are kept in `.e2e/`.
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
const HOME = resolve(import.meta.dirname, "../../.e2e");

const { values } = parseArgs({
  options: { only: { type: "string" }, short: { type: "boolean" }, keep: { type: "boolean" } },
});
const chosen = SCENARIOS.filter(({ name, short }) => (values.only ? name === values.only : !values.short || short));
if (chosen.length === 0) {
  console.error(`no scenario ${values.only}; there are ${SCENARIOS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  console.error("e2e makes network namespaces: run it as root");
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
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function runAll(): Promise<number> {
  const folder = join(HOME, "run");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const guest = await buildGuest(join(HOME, "cache"));
  await buildLab();
  const site = await startSite(
    folder,
    guest,
    SCENARIOS.flatMap(({ expects }) => (expects ? [expects] : [])),
  );
  await using unbound = await startUnbound(site, folder);
  let failures = 0;
  for (const scenario of chosen) failures += (await runOne(scenario, site, folder)) ? 0 : 1;
  await unbound.stop();
  await site.process.stop("SIGINT", 30_000);
  if (failures === 0 && !values.keep) await rm(folder, { recursive: true, force: true });
  else console.log(`logs and captures: ${folder}`);
  return failures;
}

async function runOne(scenario: Scenario, site: Awaited<ReturnType<typeof startSite>>, home: string): Promise<boolean> {
  const folder = join(home, scenario.name);
  await mkdir(folder, { recursive: true });
  const began = Date.now();
  const dump = await capture(folder);
  try {
    await scenario.run({ site, folder, cache: join(HOME, "cache") });
    console.log(`ok ${scenario.name} ${((Date.now() - began) / 1000).toFixed(1)}`);
    return true;
  } catch (fault) {
    console.log(`FAIL ${scenario.name} ${(fault as Error).message.replaceAll("\n", " ")}`);
    return false;
  } finally {
    await dump.stop("SIGINT");
  }
}
