/** An owner with kinds of its own, in a schema of its own, on a database of its own: what machines or BMCs will be to the feed. */
import { testDatabase } from "@firstlight/kit/postgres";
import { Client, Pool, type PoolClient } from "pg";
import {
  type Change,
  createAppender,
  createNotifier,
  FeedReplica,
  INT8_AS_NUMBER,
  PgFeed,
  type Put,
  type Registry,
  type Row,
  type RowChange,
  type Rows,
  type Sequencer,
  type SequencerOptions,
  startSequencer,
  Table,
  VersionedRows,
} from "../src/index.ts";

export interface Machine extends Row {
  readonly kind: "machine";
  readonly name: string;
  readonly state: string;
}

export interface Bmc extends Row {
  readonly kind: "bmc";
  readonly id: number;
  readonly machine: string;
}

export type ToyRow = Machine | Bmc;
export type ToyEvents = { readonly boot: { readonly machine: string; readonly step: string } };
export type ToyChange = Change<ToyRow, ToyEvents>;

export const KINDS: Registry<ToyRow, ToyEvents, "visit"> = {
  rows: {
    machine: {
      table: "toy.machine",
      keyOf: ({ name }) => name as string,
      read: ({ name, state, version }) => ({ kind: "machine", name, state, version }) as Machine,
    },
    bmc: {
      table: "toy.bmc",
      keyOf: ({ id }) => String(id),
      read: ({ id, machine, version }) => ({ kind: "bmc", id, machine, version }) as Bmc,
    },
  },
  events: {
    boot: {
      keyOf: ({ machine }) => machine,
      read: ({ machine, step }) => ({ machine, step }) as ToyEvents["boot"],
    },
  },
  audit: ["visit"],
};

const SCHEMA = `
  CREATE SCHEMA toy;
  CREATE TABLE toy.machine (name text PRIMARY KEY, state text NOT NULL, version bigint NOT NULL DEFAULT nextval('ipam.version'));
  CREATE TABLE toy.bmc (id integer PRIMARY KEY, machine text NOT NULL, version bigint NOT NULL DEFAULT nextval('ipam.version'))`;

const PUT = `
  INSERT INTO toy.machine AS m (name, state) VALUES ($1, $2)
  ON CONFLICT (name) DO UPDATE SET state = excluded.state, version = nextval('ipam.version')
  RETURNING to_jsonb(m) AS "row"`;

export const append = createAppender(KINDS);

/** Puts a machine into a state, with its change, in the client's transaction. */
export async function putMachine(
  client: PoolClient | Client,
  name: string,
  state: string,
  actor: string,
): Promise<void> {
  const { rows } = await client.query<{ row: Record<string, unknown> }>(PUT, [name, state]);
  await append.changes(client, "machine", [rows[0]!.row], { actor, dns: state === "new" });
}

export interface Toy extends AsyncDisposable {
  readonly url: string;
  readonly source: PgFeed<ToyRow, ToyEvents>;
  sql<T = Record<string, unknown>>(text: string, values?: unknown[]): Promise<T[]>;
  /** One transaction; the sequencer is notified after it. */
  write(act: (client: PoolClient) => Promise<void>): Promise<void>;
  put(name: string, state: string, actor?: string): Promise<void>;
  sequencer(options?: Partial<SequencerOptions>): Sequencer;
  /** Until the outbox is empty. */
  drained(): Promise<void>;
  /** The whole log, in pages of seven. */
  feed(): Promise<ToyChange[]>;
}

export async function toy(): Promise<Toy> {
  await using parts = new AsyncDisposableStack();
  const { url } = parts.use(await testDatabase());
  const connection = () => ({ connectionString: url, types: INT8_AS_NUMBER });
  const pool = parts.adopt(new Pool({ ...connection(), max: 4 }), (one) => one.end());
  pool.on("error", () => {});
  await pool.query(SCHEMA);
  const notifier = parts.adopt(createNotifier(pool), (one) => one.close());
  const source = parts.use(new PgFeed(KINDS, { pool, connection }));
  const owned = parts.move();
  const sql = async <T>(text: string, values: unknown[] = []): Promise<T[]> =>
    (await pool.query(text, values)).rows as T[];
  const write: Toy["write"] = async (act) => {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await act(client);
      await client.query("COMMIT");
    } finally {
      client.release();
    }
    notifier.notify();
  };
  return {
    url,
    source,
    sql,
    write,
    put: (name, state, actor = "t") => write((client) => putMachine(client, name, state, actor)),
    sequencer: (options) => owned.use(startSequencer({ connection, retryMs: () => 20, candidacyMs: 50, ...options })),
    drained: () => until(async () => (await sql("SELECT 1 FROM ipam.change_pending")).length === 0),
    async feed() {
      const [head] = await sql<{ epoch: string }>("SELECT epoch FROM ipam.feed ORDER BY position DESC LIMIT 1");
      const all: ToyChange[] = [];
      for (;;) {
        const pulled = await source.changes({ epoch: head!.epoch, position: all.at(-1)?.position ?? 0 }, 7);
        if (pulled.is !== "changes") throw new Error("the epoch changed");
        all.push(...pulled.changes);
        if (!pulled.more) return all;
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A transaction that changed a machine and has not committed yet. */
export async function heldOpen(url: string, name: string): Promise<{ commit(): Promise<void> }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("BEGIN");
  await putMachine(client, name, "held", "held");
  return {
    async commit() {
      await client.query("COMMIT");
      await client.end();
    },
  };
}

/** What a reader of the toy's kinds holds. */
export class ToyRows {
  readonly machines = new Table<string, Machine>(
    (row) => row.name,
    (key) => key,
  );
  readonly bmcs = new Table<number, Bmc>((row) => row.id, Number);
  readonly #versioned = new VersionedRows<ToyRow>(
    { machine: this.machines, bmc: this.bmcs } satisfies {
      machine: Rows<Machine>;
      bmc: Rows<Bmc>;
    },
    (row) => (row.kind === "machine" ? row.name : String(row.id)),
  );

  take(batch: Iterable<ToyRow>): void {
    for (const row of batch) this.#versioned.put(row);
  }

  apply(change: RowChange<ToyRow>): Put<ToyRow> {
    return this.#versioned.apply(change);
  }

  get size(): number {
    return this.machines.size + this.bmcs.size;
  }
}

/** Answers about machines. */
export class ToyReplica extends FeedReplica<ToyRow, ToyEvents, ToyRows> {
  #rows: ToyRows;

  constructor(clock: { now(): number }) {
    const rows = new ToyRows();
    super(clock, rows);
    this.#rows = rows;
  }

  override swap(...[rows, at, dnsPosition]: Parameters<FeedReplica<ToyRow, ToyEvents, ToyRows>["swap"]>): void {
    this.#rows = rows;
    super.swap(rows, at, dnsPosition);
  }

  stateOf(name: string): string | undefined {
    return this.#rows.machines.get(name)?.state;
  }

  bmcOf(machine: string): number | undefined {
    return [...this.#rows.bmcs.all()].find((bmc) => bmc.machine === machine)?.id;
  }
}

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}
