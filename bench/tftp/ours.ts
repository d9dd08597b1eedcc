import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Contender, Placement, RunningServer } from "../harness/contract.ts";
import { migrate, startDaemon, startDatabase, writeSite } from "../harness/firstlight.ts";
import { PORT, writeContent } from "./content.ts";
import { untilServing } from "./fetch.ts";

/** `firstlight tftpd` as a site runs it. The limits per address are raised, because all clients of the load have one address. */
export const ours: Contender = { name: "firstlight", packages: [], start };

const HEALTH = "127.0.0.1:7869";

async function start(placement: Placement): Promise<RunningServer> {
  await using parts = new AsyncDisposableStack();
  const root = join(placement.folder, "files");
  mkdirSync(root);
  writeContent(root);
  const database = parts.use(await startDatabase(placement));
  const limits = { maxTransfersPerClient: 64, perClient: { perSecond: 10_000, burst: 10_000 } };
  const tftpd = { listen: `127.0.0.1:${PORT}`, health: HEALTH, root, ...limits };
  const file = await writeSite(placement, { tftpd }, database);
  await migrate(placement, file);
  const daemon = parts.use(await startDaemon("tftpd", placement, file, HEALTH));
  await untilServing(placement);
  const owned = parts.move();
  return { pids: () => [daemon.pid, database.pid], [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
