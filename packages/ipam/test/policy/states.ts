/** States of two segments' tables that the policy's law looks at: a generator, and the way into tables and replica. */
import { systemClock } from "@firstlight/service";
import { formatMac } from "@firstlight/wire";
import * as fc from "fast-check";
import type { PoolClient } from "pg";
import { type ClientIdentity, IDENTITY, identityText } from "../../src/model/identity.ts";
import { Memory } from "../../src/replica/memory/memory.ts";
import type { AddressPolicy } from "../../src/model/model.ts";
import { type Json, rowFrom } from "../../src/database/rows.ts";
import { ip, stranger } from "../ground.ts";

export interface Segments {
  readonly here: number;
  readonly there: number;
}

export const NETS = ["10.60.0.0/29", "10.60.1.0/30", "fd60::/126"];
const V4 = [1, 2, 3, 4, 5, 6].map((n) => `10.60.0.${n}`).concat("10.60.1.1", "10.60.1.2");
const V6 = [1, 2, 3].map((n) => `fd60::${n}`);
export const ADDRESSES = [...V4, ...V6];
const ELSEWHERE = "10.60.2.1";
const MACS = [0, 1, 2].map((n) => stranger(600 + n));
/** Three clients that show a MAC, one that shows a DUID only. */
export const CLIENTS: readonly ClientIdentity[] = [
  ...MACS,
  IDENTITY.duid(Uint8Array.of(0, 3, 0, 1, 2, 0xf1, 0, 0, 0, 9)),
];
const CLIENT_ID = Uint8Array.of(1, 2, 3);
const PORT = { giaddr: ip("10.60.0.1"), circuitId: Uint8Array.of(7) };
/** The first client shows a port and a client identifier besides its MAC. */
export const proofOf = (client: number) => (client === 0 ? { clientId: CLIENT_ID, relay: PORT } : {});
const IDENTITIES = [...CLIENTS.map(identityText), IDENTITY.clientId(CLIENT_ID), IDENTITY.port(PORT)!, "client-id ff"];

const policy = fc.constantFrom<AddressPolicy>("dynamic", "dynamic", "retained", "preserved", "fixed");
const role = fc.constantFrom("host", "host_bmc", "other");
const address = fc.constantFrom(...ADDRESSES);
export const state = fc.record({
  segment: fc.record({
    admission: fc.constantFrom("open", "open", "expected"),
    allocation: fc.constantFrom("dynamic", "sequential", "dynamic", "reserved"),
    policy: fc.constantFrom("dynamic", "dynamic", "retained", "fixed"),
    state: fc.constantFrom("active", "active", "active", "draining"),
  }),
  drainingNet: fc.constantFrom(undefined, undefined, 0, 1, 2),
  pooled: fc.boolean(),
  rehome: fc.constantFrom(null, "refuse", "keep", "move"),
  interfaces: fc.tuple(
    ...CLIENTS.map(() =>
      fc.option(
        fc.record({
          role,
          machine: fc.constantFrom(null, null, "m"),
          identifiedBy: fc.constantFrom("lease", "lease", "expected"),
          state: fc.constantFrom(null, null, null, "predicted", "away"),
        }),
      ),
    ),
  ),
  /** What one client has on the other segment: the first, or the one with a DUID. */
  elsewhere: fc.option(
    fc.record({
      client: fc.constantFrom(0, 3),
      state: fc.constantFrom(null, "predicted", "away"),
      hours: fc.constantFrom(-2, 1),
    }),
  ),
  expected: fc.tuple(...MACS.map(() => fc.option(fc.record({ role, address: fc.option(address) })))),
  leases: fc.uniqueArray(
    fc.record({
      address,
      client: fc.nat(CLIENTS.length - 1),
      isDeleted: fc.constantFrom(false, false, false, true),
      state: fc.constantFrom("bound", "bound", "released", "declined"),
      policy,
      hours: fc.constantFrom(-50, -2, 1),
    }),
    { minLength: 1, maxLength: 11, selector: (one) => one.address },
  ),
  reservations: fc.uniqueArray(
    fc.record({
      address,
      identity: fc.constantFrom(...IDENTITIES),
      origin: fc.constantFrom("declared", "preserved"),
      isHere: fc.constantFrom(true, true, true, false),
    }),
    { maxLength: 3, selector: (one) => one.address },
  ),
});
export type State = typeof state extends fc.Arbitrary<infer T> ? T : never;

/** Writes a state into the tables, whatever the stores would have made of it. */
export async function write(client: PoolClient, { here, there }: Segments, one: State): Promise<void> {
  const { admission, allocation, policy, state } = one.segment;
  const run = (text: string, ...values: unknown[]) => client.query(text, values);
  await run(
    `UPDATE ipam.segment SET admission = $2, allocation = $3, policy = $4, state = $5,
       drain_by = CASE $5 WHEN 'draining' THEN now() END WHERE id = $1`,
    here,
    admission,
    allocation,
    policy,
    state,
  );
  await run("UPDATE ipam.segment SET rehome = $2 WHERE id = $1", there, one.rehome);
  if (one.drainingNet !== undefined)
    await run(
      "UPDATE ipam.prefix SET state = 'draining', drain_by = now() WHERE prefix = $1::cidr",
      NETS[one.drainingNet],
    );
  if (one.pooled)
    await run(
      "UPDATE ipam.prefix SET pools = $2 WHERE prefix = $1::cidr",
      NETS[0],
      JSON.stringify([{ first: "10.60.0.3", last: "10.60.0.4", roles: ["host_bmc"] }]),
    );
  const ids = new Map<number, number>();
  const put = async (
    segment: number,
    n: number,
    row: Partial<Record<"role" | "machine" | "identifiedBy" | "state", string | null>>,
  ) => {
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO ipam.interface (segment, mac, identity, domain, role, machine, identified_by, state)
       SELECT id, $2, $3, domain, $4, $5, $6, $7 FROM ipam.segment WHERE id = $1 RETURNING id`,
      [
        segment,
        ...columnsOf(n),
        row.role ?? "other",
        row.machine ?? null,
        row.identifiedBy ?? "lease",
        row.state ?? null,
      ],
    );
    return rows[0]!.id;
  };
  for (const [n, row] of one.interfaces.entries()) if (row) ids.set(n, await put(here, n, row));
  const lease = (
    segment: number,
    address: string,
    id: number,
    n: number,
    state: string,
    policy: string,
    hours: number,
  ) =>
    run(
      `INSERT INTO ipam.lease (vrf, address, segment, interface, mac, identity, policy, state, starts_at, expires_at, reusable_at)
       VALUES ('default', $1, $2, $3, $4, $5, $6, $7, now() - interval '60 hours', now() + make_interval(hours => $8), now() + make_interval(hours => $8 + 24))`,
      address,
      segment,
      id,
      ...columnsOf(n),
      policy,
      state,
      hours,
    );
  const bound = new Set<string>();
  for (const { address, client, isDeleted, state, policy, hours } of one.leases) {
    const id = isDeleted ? 1_000_000 + client : (ids.get(client) ?? (await put(here, client, {})));
    if (!isDeleted) ids.set(client, id);
    const place = `${id} ${V6.includes(address)}`; // an interface has one bound address of a family
    const isSecond = state === "bound" && bound.has(place);
    if (state === "bound") bound.add(place);
    await lease(here, address, id, client, isSecond ? "released" : state, policy, hours);
  }
  if (one.elsewhere) {
    const id = await put(there, one.elsewhere.client, { state: one.elsewhere.state });
    await lease(there, ELSEWHERE, id, one.elsewhere.client, "bound", "dynamic", one.elsewhere.hours);
  }
  const declared = new Set<string>();
  for (const [n, row] of one.expected.entries()) {
    if (!row) continue;
    const address = row.address !== null && !declared.has(row.address) ? row.address : null;
    if (address !== null) declared.add(address);
    await run(
      "INSERT INTO ipam.expected_device (mac, machine, role, label, address) VALUES ($1, 'm', $2, $3, $4)",
      formatMac(MACS[n]!),
      row.role,
      `law${n}`,
      address,
    );
  }
  for (const { address, identity, origin, isHere } of one.reservations)
    await run(
      `INSERT INTO ipam.reservation (segment, vrf, address, identity, origin) VALUES ($1, 'default', $2, $3, $4) ON CONFLICT DO NOTHING`,
      isHere ? here : there,
      address,
      identity,
      origin,
    );
}

/** The columns `mac` and `identity` of a client; one of them is null. */
function columnsOf(client: number): readonly [string | null, string | null] {
  const identity = CLIENTS[client]!;
  return typeof identity === "number" ? [formatMac(identity), null] : [null, identity];
}

const KINDS = ["segment", "prefix", "interface", "expected", "reservation", "lease"] as const;

/** A replica that has followed to this state, at the transaction's time. */
export async function replicaOf(client: PoolClient): Promise<Memory> {
  const { rows: clock } = await client.query<{ now: number }>("SELECT extract(epoch FROM now())::float8 * 1000 AS now");
  const now = Math.floor(clock[0]!.now);
  const memory = new Memory({ ...systemClock, now: () => now });
  for (const kind of KINDS) {
    const table = kind === "expected" ? "expected_device" : kind;
    const { rows } = await client.query<{ row: Json }>(`SELECT to_jsonb(t) AS "row" FROM ipam.${table} t`);
    memory.learn(rows.map(({ row }) => rowFrom(kind, row)));
  }
  memory.observe(now);
  return memory;
}
