/** A small site in a database of its own, and short words for what the store's tests do with it. */
import assert from "node:assert/strict";
import { testDatabase, testPool } from "@firstlight/kit/postgres";
import { type Address, formatAddress, isMalformed, parseAddress, parseMac } from "@firstlight/wire";
import { expectedMachinesSchema, ipamSchema } from "../src/config.ts";
import type { ClientIdentity } from "../src/model/identity.ts";
import type { Bind, GiveBack, Outcome } from "../src/model/lease.ts";
import { startSequencer, type Sequencer } from "../src/feed/sequencer.ts";
import type { Store } from "../src/store/store.ts";
import { createStore } from "../src/store/create.ts";

export interface Ground extends AsyncDisposable {
  readonly url: string;
  readonly store: Store;
  /** Segment ids by name: `open`, `closed` (expected devices only), `held` (retained), `declared` (reserved), `six`. */
  readonly segments: Readonly<Record<string, number>>;
  readonly sql: <T = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<T[]>;
  anotherStore(): Store;
  sequencer(options?: { pollMs?: number; keep?: number; candidacyMs?: number }): Sequencer;
  /** A transaction that holds a lock; `hangUp` ends the connections of all who wait for one. */
  blocker(lock: string): Promise<AsyncDisposable & { hangUp(): Promise<void> }>;
  /** Everything in the feed after `position`, once the outbox is empty. */
  drained(): Promise<void>;
}

export const SITE = {
  ipam: ipamSchema.parse({
    domains: [{ name: "lab.test" }],
    segments: [
      {
        name: "open",
        domain: "lab.test",
        prefixes: [{ prefix: "10.0.0.0/24", gateway: "10.0.0.1", reserved: 3, excluded: ["10.0.0.9"] }],
      },
      { name: "closed", domain: "lab.test", admission: "expected", prefixes: [{ prefix: "10.0.1.0/24" }] },
      { name: "held", domain: "lab.test", policy: "retained", prefixes: [{ prefix: "10.0.2.0/24" }] },
      { name: "declared", domain: "lab.test", allocation: "reserved", prefixes: [{ prefix: "10.0.3.0/24" }] },
      { name: "six", domain: "lab.test", prefixes: [{ prefix: "fd00::/64" }, { prefix: "10.0.4.0/24" }] },
    ],
  }),
  expectedMachines: expectedMachinesSchema.parse([
    {
      name: "r1",
      serial: "S1",
      interfaces: [
        { mac: "02:00:00:00:01:01", role: "host" },
        { mac: "02:00:00:00:01:02", role: "host_bmc", address: "10.0.3.20" },
      ],
    },
  ]),
};

export const HOST = mac("02:00:00:00:01:01");
export const BMC = mac("02:00:00:00:01:02");

export async function ground(): Promise<Ground> {
  await using parts = new AsyncDisposableStack();
  const { url } = parts.use(await testDatabase());
  const pool = parts.adopt(testPool(url, 4), (pool) => pool.end());
  const store = parts.use(createStore({ url, name: "test" }));
  const { segments } = await store.declare(SITE, "config");
  const owned = parts.move();
  const sql = async <T>(text: string, values: unknown[] = []): Promise<T[]> =>
    (await pool.query(text, values)).rows as T[];
  return {
    url,
    store,
    segments: Object.fromEntries(segments.map(({ name, id }) => [name, id])),
    sql,
    anotherStore: () => owned.use(createStore({ url, name: "other" })),
    sequencer: (options) => owned.use(startSequencer({ url, name: "test", candidacyMs: 50, ...options })),
    async blocker(lock) {
      const client = await pool.connect();
      await client.query("BEGIN");
      await client.query(lock);
      let isHeld = true;
      return {
        async hangUp() {
          for (let gone = 0; gone === 0;) {
            const rows = await sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'`);
            gone = rows.length;
          }
        },
        async [Symbol.asyncDispose]() {
          if (!isHeld) return;
          isHeld = false;
          await client.query("ROLLBACK");
          client.release();
        },
      };
    },
    async drained() {
      for (;;) {
        const [row] = await sql<{ left: string }>("SELECT count(*) AS left FROM ipam.change_pending");
        if (row!.left === "0") return;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function mac(text: string): number {
  const value = parseMac(text);
  assert.ok(!isMalformed(value), text);
  return value;
}

export function ip(text: string): Address {
  const value = parseAddress(text);
  assert.ok(!isMalformed(value), text);
  return value;
}

/** The n-th device nobody expects. */
export function stranger(n: number): number {
  return mac("02:ff:00:00:00:00") + n;
}

export function bind(segment: number, identity: ClientIdentity, address: string, more: Partial<Bind> = {}): Bind {
  return { do: "bind", segment, identity, address: ip(address), leaseSeconds: 600, ...more };
}

export function back(what: GiveBack["do"], segment: number, mac: number, address: string): GiveBack {
  return { do: what, segment, identity: mac, address: ip(address) };
}

/** An outcome in one word or sentence: `bound 10.0.0.5`, or why not. */
export function said(outcome: Outcome | undefined): string {
  assert.ok(outcome);
  if (outcome.is === "refused") return outcome.because;
  return `${outcome.is} ${formatAddress(outcome.lease.address)}`;
}
