import assert from "node:assert/strict";
import type pg from "pg";
import { keyOf } from "../key.ts";
import type { Bind, GiveBack, LeaseRequest, Outcome } from "../lease.ts";
import type { Lease } from "../model.ts";
import { type Arrival, arrive, homesOf } from "./arrive.ts";
import { changesNames, type Fact, isPromised, judge, policyOf, preempts } from "./judge.ts";
import { welcome } from "./newcomers.ts";
import { note } from "./note.ts";
import { type Json, rowFrom, toAddress, toBytes, toMac } from "./rows.ts";
import { BIND, BY_KEY, FACTS, GIVE_BACK, LOCK_INTERFACES, MOVE } from "./statements.ts";
import { inOrder } from "./transaction.ts";

/** A request that may go ahead, with the row of its interface. */
interface Admitted<Request extends LeaseRequest> {
  readonly request: Request;
  readonly fact: Fact;
  readonly interface: Json & { readonly id: number };
  readonly key: string;
}

/**
 * The batch, in a transaction that its caller opened: lock, look, judge, write. A handful of statements whatever the
 * size of the batch. Nothing is promised before the caller's COMMIT.
 */
export async function commitBatch(
  client: pg.ClientBase,
  batch: readonly LeaseRequest[],
  actor: string,
): Promise<Outcome[]> {
  const facts = await look(client, batch);
  const outcomes: (Outcome | undefined)[] = batch.map((request, n) => {
    const because = judge(request, facts[n]!);
    return because && { is: "refused", because };
  });
  refuseRivals(batch, facts, outcomes);

  const going = batch.flatMap((request, n) => (outcomes[n] ? [] : [{ request, fact: facts[n]! }]));
  const strangers = going.filter(({ fact, request }) => fact.interface === null && request.do === "bind");
  const made = await welcome(client, strangers as { request: Bind; fact: Fact }[], actor);
  const admitted = going
    .map(({ request, fact }) => {
      const row = fact.interface ?? made.get(request as Bind);
      return {
        request,
        fact,
        interface: row as Json & { id: number },
        key: `${fact.vrf}/${toAddress(request.address)}`,
      };
    })
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));

  const bound = await bind(client, admitted.filter(isBind), actor);
  const given = await giveBack(client, admitted.filter(isGiveBack), actor);
  await keepOrForget(client, [...made.values()], bound, actor);
  const arrived = await arrive(
    client,
    admitted.filter(isBind).flatMap((one) => arrivalOf(one, bound) ?? []),
    actor,
  );

  const settled = new Map(
    admitted.map((one) => {
      const own = (arrived.get(one.interface.id) ?? one.interface) as typeof one.interface;
      return [one.request, settle({ ...one, interface: own }, bound, given)] as const;
    }),
  );
  return batch.map((request, n) => outcomes[n] ?? settled.get(request)!);
}

async function look(client: pg.ClientBase, batch: readonly LeaseRequest[]): Promise<Fact[]> {
  const sorted = batch.toSorted((a, b) => a.segment - b.segment || a.mac - b.mac);
  const isTwice = sorted.some(
    ({ segment, mac }, n) => sorted[n + 1]?.segment === segment && sorted[n + 1]?.mac === mac,
  );
  assert(!isTwice, "one request per interface and batch");
  const values = [...identities(batch), batch.map(({ address }) => toAddress(address))];
  const [, { rows }] = await inOrder(
    client,
    () => client.query({ name: "lock-interfaces", text: LOCK_INTERFACES, values: identities(sorted) }),
    () => client.query<Fact>({ name: "facts", text: FACTS, values }),
  );
  return withHomes(client, batch, rows);
}

/** Nearly nobody lives elsewhere: who does is asked about alone. */
async function withHomes(
  client: pg.ClientBase,
  batch: readonly LeaseRequest[],
  facts: readonly Fact[],
): Promise<Fact[]> {
  const movers = [...facts.keys()].filter((n) => facts[n]!.elsewhere && batch[n]!.do === "bind");
  const homes = await homesOf(
    client,
    movers.map((n) => ({ segment: batch[n]!.segment, mac: toMac(batch[n]!.mac) })),
  );
  const found = new Map(movers.map((n, i) => [n, homes[i]!]));
  return facts.map((fact, n) => (found.has(n) ? { ...fact, homes: found.get(n)! } : fact));
}

/** Who was not at home where it is now. */
function arrivalOf(
  { request, fact, interface: own, key }: Admitted<Bind>,
  bound: ReadonlyMap<string, Lease>,
): Arrival | undefined {
  const { homes = [], naming, expected } = fact;
  if (!bound.has(key) || (homes.length === 0 && (own["state"] ?? null) === null)) return undefined;
  const { segment, trace } = request;
  const [mac, address] = [toMac(request.mac), toAddress(request.address)];
  return { interface: own, mac, address, segment, naming, expected, homes, ...(trace !== undefined && { trace }) };
}

function identities(batch: readonly LeaseRequest[]): unknown[] {
  return [batch.map(({ segment }) => segment), batch.map(({ mac }) => toMac(mac))];
}

/** Two of one batch want the same address: the first one asked first. */
function refuseRivals(batch: readonly LeaseRequest[], facts: readonly Fact[], outcomes: (Outcome | undefined)[]): void {
  const wanted = new Set<string>();
  batch.forEach(({ address }, n) => {
    const key = `${facts[n]!.vrf}/${toAddress(address)}`;
    if (outcomes[n]) return;
    if (wanted.has(key)) outcomes[n] = { is: "refused", because: "address is bound to another interface" };
    wanted.add(key);
  });
}

async function bind(
  client: pg.ClientBase,
  binds: readonly Admitted<Bind>[],
  actor: string,
): Promise<Map<string, Lease>> {
  if (binds.length === 0) return new Map();
  const column = <T>(read: (one: Admitted<Bind>) => T): T[] => binds.map(read);
  const values = [
    actor,
    column(({ fact }) => fact.vrf),
    column(({ request }) => toAddress(request.address)),
    column(({ request }) => request.segment),
    column((one) => one.interface.id),
    column(({ request }) => toMac(request.mac)),
    column(({ request, fact }) => policyOf(request, fact)),
    column(({ request }) => request.leaseSeconds),
    column(({ fact }) => fact.grace_seconds),
    column(({ request }) => toBytes(request.clientId)),
    column(({ request }) => (request.relay ? toAddress(request.relay.giaddr) : null)),
    column(({ request }) => toBytes(request.relay?.circuitId)),
    column(({ request }) => toBytes(request.relay?.remoteId)),
    column(({ fact }) => changesNames(fact)),
    column(({ request }) => request.trace ?? null),
    column(({ request, fact }) => isPromised(request, fact)),
    column(({ request, fact }) => preempts(request, fact)),
  ];
  const bound = await rowsOf(client, "bind", BIND, values);
  const moved = binds.filter((one) => one.fact.other_bound && bound.has(one.key));
  if (moved.length > 0) {
    await client.query(BY_KEY);
    await rowsOf(client, "move", MOVE, [
      actor,
      moved.map((one) => one.interface.id),
      moved.map(({ request }) => toAddress(request.address)),
      moved.map(({ fact }) => fact.grace_seconds),
      moved.map(({ request }) => request.trace ?? null),
    ]);
  }
  return bound;
}

async function giveBack(
  client: pg.ClientBase,
  given: readonly Admitted<GiveBack>[],
  actor: string,
): Promise<Map<string, Lease>> {
  if (given.length === 0) return new Map();
  await client.query(BY_KEY);
  return await rowsOf(client, "give-back", GIVE_BACK, [
    actor,
    given.map(({ fact }) => fact.vrf),
    given.map(({ request }) => toAddress(request.address)),
    given.map((one) => one.interface.id),
    given.map(({ request }) => (request.do === "release" ? "released" : "declined")),
    given.map(({ fact }) => fact.grace_seconds),
    given.map(({ request }) => request.trace ?? null),
  ]);
}

/** A new interface whose bind lost at the last moment was never there. */
async function keepOrForget(
  client: pg.ClientBase,
  made: readonly Json[],
  bound: ReadonlyMap<string, Lease>,
  actor: string,
): Promise<void> {
  if (made.length === 0) return;
  const winners = new Set<unknown>([...bound.values()].map((lease) => lease.interface));
  const lost = made.filter(({ id }) => !winners.has(id));
  if (lost.length > 0) await client.query("DELETE FROM ipam.interface WHERE id = ANY($1)", [lost.map(({ id }) => id)]);
  await note(
    client,
    "interface",
    made.filter(({ id }) => winners.has(id)),
    { actor, dns: false },
  );
}

function settle(
  { request, key, interface: own }: Admitted<LeaseRequest>,
  bound: ReadonlyMap<string, Lease>,
  given: ReadonlyMap<string, Lease>,
): Outcome {
  const lease = (request.do === "bind" ? bound : given).get(key);
  if (!lease)
    return {
      is: "refused",
      because: request.do === "bind" ? "address is bound to another interface" : "no such lease",
    };
  return request.do === "bind"
    ? { is: "bound", lease, interface: rowFrom("interface", own) }
    : { is: "givenBack", lease };
}

async function rowsOf(
  client: pg.ClientBase,
  name: string,
  text: string,
  values: unknown[],
): Promise<Map<string, Lease>> {
  const { rows } = await client.query<{ row: Json }>({ name, text, values });
  return new Map(rows.map(({ row }) => rowFrom("lease", row)).map((lease) => [keyOf(lease), lease]));
}

function isBind(one: Admitted<LeaseRequest>): one is Admitted<Bind> {
  return one.request.do === "bind";
}

function isGiveBack(one: Admitted<LeaseRequest>): one is Admitted<GiveBack> {
  return one.request.do !== "bind";
}
