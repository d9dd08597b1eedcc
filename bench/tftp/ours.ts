import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Contender, Place, Serving } from "../harness/contract.ts";
import { migrate, startDaemon, startDatabase, writeSite } from "../harness/firstlight.ts";
import { PORT, writeContent } from "./content.ts";
import { answers } from "./fetch.ts";

/** `firstlight tftpd` as a site runs it; only the limits of one address are raised, which all the load shares. */
export const ours: Contender = { name: "firstlight", packages: [], start };

const HEALTH = "127.0.0.1:7869";

async function start(place: Place): Promise<Serving> {
  await using parts = new AsyncDisposableStack();
  const root = join(place.folder, "files");
  mkdirSync(root);
  writeContent(root);
  const database = parts.use(await startDatabase(place));
  const limits = { maxTransfersPerClient: 64, perClient: { perSecond: 10_000, burst: 10_000 } };
  const tftpd = { listen: `127.0.0.1:${PORT}`, health: HEALTH, root, ...limits };
  const file = await writeSite(place, { tftpd }, database);
  await migrate(place, file);
  const daemon = parts.use(await startDaemon("tftpd", place, file, HEALTH));
  await answers(place);
  const owned = parts.move();
  return { pids: () => [daemon.pid, database.pid], [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
