import type pg from "pg";
import type { ClientIdentity } from "../../model/identity.ts";
import type { Bind, GiveBack, LeaseRequest, Outcome } from "../../model/lease.ts";
import type { Lease } from "../../model/model.ts";
import type { AddressReason } from "../../policy/reasons.ts";
import { type Arrival, arrive } from "../device/arrive.ts";
import { bind } from "./bind.ts";
import type { Admitted } from "./admitted.ts";
import { look } from "./facts.ts";
import { giveBack } from "./give-back.ts";
import { type Fact, judge } from "./judge.ts";
import { createInterfaces } from "../device/create-interfaces.ts";
import { SegmentCache } from "./segment-cache.ts";
import { type Json, rowFrom, toAddress } from "../../database/rows.ts";
import { FORGET_INTERFACES } from "./statements.ts";
import type { Commit } from "../transaction.ts";

/**
 * Commits a batch in a transaction that the caller has opened: locks, reads facts, decides and writes, in a few statements for any
 * size of the batch. Nothing is acknowledged before COMMIT, which the caller or `commit` sends with the last statement.
 */
export async function commitBatch(
  client: pg.ClientBase,
  batch: readonly LeaseRequest[],
  actor: string,
  segments = new SegmentCache(),
  commit?: Commit,
): Promise<Outcome[]> {
  const outcomes = new Map<LeaseRequest, Outcome>();
  const turns = turnsOf(batch);
  for (const turn of turns) {
    const said = await commitTurn(client, turn, actor, segments, turns.length === 1 ? commit : undefined);
    turn.forEach((request, n) => outcomes.set(request, said[n]!));
  }
  return batch.map((request) => outcomes.get(request)!);
}

/**
 * Splits a batch into turns that run one after another. A device that requests on two segments moves from one to the other; MACs and
 * other identities are in different columns.
 */
function turnsOf(batch: readonly LeaseRequest[]): LeaseRequest[][] {
  const [macs, others] = [[] as LeaseRequest[][], [] as LeaseRequest[][]];
  const asked = new Map<ClientIdentity, number>();
  for (const request of batch) {
    const turn = asked.get(request.identity) ?? 0;
    asked.set(request.identity, turn + 1);
    ((typeof request.identity === "number" ? macs : others)[turn] ??= []).push(request);
  }
  return [...macs, ...others];
}

async function commitTurn(
  client: pg.ClientBase,
  batch: readonly LeaseRequest[],
  actor: string,
  segments: SegmentCache,
  commit: Commit | undefined,
): Promise<Outcome[]> {
  const facts = await look(client, batch, segments);
  const outcomes: (Outcome | undefined)[] = batch.map((request, n) => {
    const code = judge(request, facts[n]!);
    return code && refused(code);
  });
  refuseRivals(batch, facts, outcomes);

  const going = batch.flatMap((request, n) => (outcomes[n] ? [] : [{ request, fact: facts[n]! }]));
  const strangers = going.filter(({ fact, request }) => fact.interface === null && request.do === "bind");
  const made = await createInterfaces(client, strangers as { request: Bind; fact: Fact }[], actor);
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

  const isLast = made.size === 0 && admitted.every(stays);
  const bound = await bind(client, admitted.filter(isBind), actor, isLast ? commit : undefined);
  const given = await giveBack(client, admitted.filter(isGiveBack), actor);
  await forgetLosers(client, [...made.values()], bound);
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

/** The arrival of a device that was not on this segment before; undefined: it was. */
function arrivalOf(
  { request, fact, interface: own, key }: Admitted<Bind>,
  bound: ReadonlyMap<string, Lease>,
): Arrival | undefined {
  const { otherInterfaces = [], naming, expected } = fact;
  if (!bound.has(key) || (otherInterfaces.length === 0 && (own["state"] ?? null) === null)) return undefined;
  const { segment, identity, trace } = request;
  const address = toAddress(request.address);
  return {
    interface: own,
    identity,
    address,
    segment,
    naming,
    expected,
    otherInterfaces,
    ...(trace !== undefined && { trace }),
  };
}

/** Of two requests of one batch for the same address the first one wins. */
function refuseRivals(batch: readonly LeaseRequest[], facts: readonly Fact[], outcomes: (Outcome | undefined)[]): void {
  const wanted = new Set<string>();
  batch.forEach((request, n) => {
    const key = `${facts[n]!.vrf}/${toAddress(request.address)}`;
    if (outcomes[n]) return;
    if (wanted.has(key)) outcomes[n] = refused("address-bound-elsewhere");
    wanted.add(key);
  });
}

/** Removes new interfaces whose bind has lost. */
async function forgetLosers(
  client: pg.ClientBase,
  made: readonly Json[],
  bound: ReadonlyMap<string, Lease>,
): Promise<void> {
  if (made.length === 0) return;
  const winners = new Set<unknown>([...bound.values()].map((lease) => lease.interface));
  const lost = made.filter(({ id }) => !winners.has(id));
  if (lost.length > 0) await client.query(FORGET_INTERFACES, [lost.map(({ id }) => id)]);
}

function settle(
  { request, key, interface: own }: Admitted<LeaseRequest>,
  bound: ReadonlyMap<string, Lease>,
  given: ReadonlyMap<string, Lease>,
): Outcome {
  const lease = (request.do === "bind" ? bound : given).get(key);
  if (!lease) return refused(request.do === "bind" ? "address-bound-elsewhere" : "no-such-lease");
  return request.do === "bind"
    ? { is: "bound", lease, interface: rowFrom("interface", own) }
    : { is: "givenBack", lease };
}

/** Whether nothing remains to be written after the bind: the device was here, and leaves no other address. */
function stays({ request, fact, interface: own }: Admitted<LeaseRequest>): boolean {
  const { otherInterfaces = [], others } = fact;
  return (
    request.do === "bind" &&
    !others.some(({ isBound }) => isBound) &&
    otherInterfaces.length === 0 &&
    (own["state"] ?? null) === null
  );
}

function refused(because: AddressReason): Outcome {
  return { is: "refused", because };
}

function isBind(one: Admitted<LeaseRequest>): one is Admitted<Bind> {
  return one.request.do === "bind";
}

function isGiveBack(one: Admitted<LeaseRequest>): one is Admitted<GiveBack> {
  return one.request.do !== "bind";
}
