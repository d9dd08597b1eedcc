import type pg from "pg";
import type { Bind } from "../../model/lease.ts";
import type { Lease } from "../../model/model.ts";
import { leasesOf } from "./give-back.ts";
import { changesNames, isPromised, policyOf, preempts } from "./judge.ts";
import { unquotedArray, toAddress, toBytes, toMac } from "../../database/rows.ts";
import { BIND, BY_KEY, MOVE } from "./statements.ts";
import { type Commit, inOrder } from "../transaction.ts";
import type { Admitted } from "./admitted.ts";

/**
 * Binds leases in one statement; a request that loses to another writer is missing in the result. Addresses that an interface leaves are
 * released. `commit`: given if this is the last statement of its transaction.
 */
export async function bind(
  client: pg.ClientBase,
  binds: readonly Admitted<Bind>[],
  actor: string,
  commit: Commit = already,
): Promise<Map<string, Lease>> {
  if (binds.length === 0) return new Map();
  const column = <T>(read: (one: Admitted<Bind>) => T): T[] => binds.map(read);
  const values = [
    actor,
    column(({ fact }) => fact.vrf),
    unquotedArray(column(({ request }) => toAddress(request.address))),
    unquotedArray(column(({ request }) => request.segment)),
    unquotedArray(column((one) => one.interface.id)),
    unquotedArray(column(({ request: { identity } }) => (typeof identity === "number" ? toMac(identity) : null))),
    unquotedArray(column(({ request, fact }) => policyOf(request, fact))),
    unquotedArray(column(({ request }) => request.leaseSeconds)),
    unquotedArray(column(({ fact }) => fact.grace_seconds)),
    column(({ request }) => toBytes(request.clientId)),
    unquotedArray(column(({ request }) => (request.relay ? toAddress(request.relay.giaddr) : null))),
    column(({ request }) => toBytes(request.relay?.circuitId)),
    column(({ request }) => toBytes(request.relay?.remoteId)),
    unquotedArray(column(({ fact }) => changesNames(fact))),
    column(({ request }) => request.trace ?? null),
    unquotedArray(column(({ request, fact }) => isPromised(request, fact))),
    unquotedArray(column(({ request, fact }) => preempts(request, fact))),
    column(({ request: { identity } }) => (typeof identity === "number" ? null : identity)),
    unquotedArray(column(({ request }) => request.iaid ?? null)),
  ];
  const [{ rows }] = await inOrder(client, () => client.query<Bound>({ name: "bind", text: BIND, values }), commit);
  const bound = new Map(rows.map((row) => [binds[row.n - 1]!.key, leaseOf(binds[row.n - 1]!, row)]));
  const moved = binds.filter((one) => one.fact.others.some(({ isBound }) => isBound) && bound.has(one.key));
  if (moved.length > 0) {
    await client.query(BY_KEY);
    await leasesOf(client, "move", MOVE, [
      actor,
      moved.map((one) => one.interface.id),
      moved.map(({ request }) => toAddress(request.address)),
      moved.map(({ fact }) => fact.grace_seconds),
      moved.map(({ request }) => request.trace ?? null),
      moved.map(({ request }) => request.iaid ?? null),
    ]);
  }
  return bound;
}

const already = async (): Promise<void> => {};

/** The columns of a bound lease that the database sets; times in microseconds. */
interface Bound {
  readonly n: number;
  readonly version: number;
  readonly starts_at: number;
  readonly expires_at: number;
  readonly reusable_at: number;
}

function leaseOf({ request, fact, interface: own }: Admitted<Bind>, row: Bound): Lease {
  const { segment, identity, address, iaid, clientId, relay } = request;
  return {
    kind: "lease",
    vrf: fact.vrf!,
    address,
    segment,
    interface: own.id,
    identity,
    policy: policyOf(request, fact),
    state: "bound",
    startsAt: Math.floor(row.starts_at / 1000),
    expiresAt: Math.floor(row.expires_at / 1000),
    reusableAt: Math.floor(row.reusable_at / 1000),
    version: row.version,
    ...(iaid !== undefined && { iaid }),
    ...(clientId && { clientId }),
    ...(relay && { relay }),
  };
}
