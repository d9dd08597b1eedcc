import { join } from "node:path";
import { warningOf } from "@firstlight/ipam/store";
import { WAVES, type DaemonName } from "../process/daemons.ts";
import { openDatabase, type Database } from "./database.ts";
import { MAIN } from "../folders.ts";
import { isWarning, logFileOf, openLog, type LogFile, type LogLine } from "../process/logfile.ts";
import type { Prepared } from "./prepare.ts";
import { startProcess, type Supervised } from "../process/process.ts";
import type { Screen } from "./screen.ts";
import { provideTrust } from "./trust.ts";

export interface Composition {
  readonly prepared: Prepared;
  readonly daemons: ReadonlySet<DaemonName>;
  readonly env: NodeJS.ProcessEnv;
  readonly screen: Screen;
  /** Ends the start, in order, wherever it is. */
  readonly stop: AbortSignal;
  /** Every line that a daemon logs. */
  readonly hear: (name: DaemonName, line: LogLine) => void;
}

/** A site whose daemons run. Disposed of, it stops them in the reverse of their order, the database last. */
export interface Composed extends AsyncDisposable {
  readonly children: ReadonlyMap<DaemonName, Supervised>;
  /** Settles with the name and the reason when one is given up. */
  readonly givenUp: Promise<{ readonly name: DaemonName; readonly because: string }>;
}

const READY_MS = 60_000;

/** These run before they are ready: a resolver may be started later, a rack boots for a while. */
const READY_LATER: ReadonlySet<DaemonName> = new Set(["unbound-config", "rack"]);

/** Database, schema, certificates, then the daemons wave by wave. */
export async function compose(composition: Composition): Promise<Composed> {
  const { prepared, daemons, screen, stop } = composition;
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await provideDatabase(composition));
  stop.throwIfAborted();
  const trust = await provideTrust(prepared.site);
  screen.part("trust", trust.text);

  const children = new Map<DaemonName, Supervised>();
  const givenUp = Promise.withResolvers<{ name: DaemonName; because: string }>();
  for (const wave of WAVES) {
    stop.throwIfAborted();
    const started = wave
      .filter((name) => daemons.has(name))
      .map((name) => {
        const log = openDaemonLog(composition, name);
        const child = spawn(composition, database, name, log);
        children.set(name, child);
        void child.givenUp.then((because) => givenUp.resolve({ name, because }));
        return { name, child, log };
      });
    parts.defer(async () => {
      await Promise.all(started.map(({ child }) => child.stop()));
      await Promise.all(started.map(({ log }) => log.close()));
    });
    await unless(stop, Promise.all(started.map(({ name, child }) => up(name, child, screen))));
  }
  const owned = parts.move();
  return { children, givenUp: givenUp.promise, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function provideDatabase({ prepared, screen }: Composition): Promise<Database> {
  const from = performance.now();
  const database = await openDatabase(prepared.site, (text) => screen.note(text));
  screen.part("database", database.text, performance.now() - from);
  if (database.undurable.length > 0) screen.shout(warningOf(database.undurable));
  const { migrated } = database;
  screen.part("schema", migrated.length === 0 ? "up to date" : `migrated: ${migrated.join(", ")}`);
  return database;
}

function openDaemonLog({ prepared, screen, hear }: Composition, name: DaemonName): LogFile {
  return openLog(logFileOf(prepared.site.site.stateDir, name), (line) => {
    const isSaid = "undurable" in line.fields; // by us, when the database was opened
    if (isWarning(line) && !isSaid) screen.warning(name, line);
    hear(name, line);
  });
}

function spawn({ prepared, env, screen }: Composition, database: Database, name: DaemonName, log: LogFile): Supervised {
  return startProcess({
    name,
    args: [MAIN, name, "--config", prepared.file],
    env: {
      ...env,
      ...database.env,
      NODE_COMPILE_CACHE: env["NODE_COMPILE_CACHE"] ?? join(prepared.site.site.stateDir, "cache"),
      UV_THREADPOOL_SIZE: "8",
    },
    log,
    onRest: (because, ms) =>
      screen.warning(name, { level: "warn", text: `${because}; starts again in ${ms} ms`, fields: {} }),
  });
}

async function up(name: DaemonName, child: Supervised, screen: Screen): Promise<void> {
  const from = performance.now();
  await (READY_LATER.has(name) ? child.started(READY_MS) : child.ready(READY_MS));
  const where = Object.entries(child.endpoints()).map(([kind, address]) => `${kind} ${address}`);
  screen.part(name, where.length === 0 ? "runs" : where.join(", "), performance.now() - from);
}

/** The promise's value, or a rejection as soon as the start is to end. */
async function unless<T>(stop: AbortSignal, promise: Promise<T>): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(stop.reason);
  stop.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    stop.removeEventListener("abort", abort);
  }
}
