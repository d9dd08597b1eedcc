/** The policy on generated states of the tables: the replica's offer, the batch's verdict and the statements agree. */
import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { formatAddress } from "@firstlight/wire";
import * as fc from "fast-check";
import type { PoolClient } from "pg";
import { ipamSchema } from "../../src/config.ts";
import { identityText } from "../../src/model/identity.ts";
import type { Bind } from "../../src/model/lease.ts";
import type { AddressPolicy } from "../../src/model/model.ts";
import { leaseRefusal } from "../../src/policy/address.ts";
import { COUNTED_ON, HELD_FROM_DECLARATION, isCountedOn, KEPT_FOR_HOLDER } from "../../src/policy/counted-on.ts";
import { bind as bindAll } from "../../src/store/lease/bind.ts";
import { commitBatch } from "../../src/store/lease/commit.ts";
import { look } from "../../src/store/lease/facts.ts";
import { addressFacts, judge } from "../../src/store/lease/judge.ts";
import { SegmentCache } from "../../src/store/lease/segment-cache.ts";
import { bind, ground, ip, said } from "../ground.ts";
import { ADDRESSES, CLIENTS, NETS, proofOf, replicaOf, type State, state, write } from "./states.ts";

const STATES = Number(process.env["POLICY_STATES"] ?? 200);

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
const pool = parts.adopt(testPool(site.url, 1), (pool) => pool.end());

await site.store.declare(
  {
    ipam: ipamSchema.parse({
      domains: [{ name: "lab.test" }],
      segments: [
        { name: "here", domain: "lab.test", prefixes: NETS.map((prefix) => ({ prefix })) },
        { name: "there", domain: "lab.test", prefixes: [{ prefix: "10.60.2.0/29" }] },
      ],
    }),
    expectedMachines: [],
  },
  "config",
);
const [ids] = await site.sql<{ here: number; there: number }>(
  `SELECT (SELECT id FROM ipam.segment WHERE name = 'here') AS here, (SELECT id FROM ipam.segment WHERE name = 'there') AS there`,
);
const { here } = ids!;

test(`what the replica offers the batch admits, and statements and policy agree (${STATES} states)`, async (t) => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(state, (one) => inTransaction((client) => mustAgree(client, one, seen))),
    { numRuns: STATES },
  );
  t.diagnostic(`${STATES} states; ${[...seen].map(([what, count]) => `${what} ${count}`).join(", ")}`);
  for (const what of [
    "offered",
    "offered IPv6",
    "offered to a DUID",
    "address-bound-elsewhere",
    "address-resting",
    "interface-holds-another-address",
  ])
    assert.ok(seen.has(what) || STATES < 100, `the states include: ${what}`);
});

async function mustAgree(client: PoolClient, one: State, seen: Map<string, number>): Promise<void> {
  await write(client, ids!, one);
  await mustCount(client);
  const memory = await replicaOf(client);
  const segment = memory.segment(here)!;
  const segments = new SegmentCache();
  const verdicts = new Map<string, string>();
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
  for (const text of ADDRESSES) {
    const requests = CLIENTS.map((identity, n) => bind(here, identity, text, proofOf(n)));
    const facts = [
      ...(await look(client, requests.slice(0, -1), segments)),
      ...(await look(client, requests.slice(-1), segments)), // a batch has identities of one kind
    ];
    for (const [n, request] of requests.entries()) {
      const code = judge(request, facts[n]!);
      verdicts.set(`${n} ${text}`, code ?? "bound");
      count(code ?? "bound");
      await mustBindAlike(client, request, facts[n]!);
    }
  }
  for (const [n, identity] of CLIENTS.entries()) {
    const offers = new Set<string>();
    for (const wanted of [undefined, ...ADDRESSES]) {
      const offer = memory.candidate(
        segment,
        identity,
        wanted === undefined ? wanted : ip(wanted),
        undefined,
        proofOf(n),
      );
      if (offer.is === "candidate") offers.add(formatAddress(offer.address));
    }
    for (const offer of offers) {
      count("offered");
      if (offer.includes(":")) count("offered IPv6");
      if (typeof identity === "string") count("offered to a DUID");
      assert.equal(verdicts.get(`${n} ${offer}`), "bound", `${offer} offered to client ${n}`);
      const outcome = await undone(client, () => commitBatch(client, [bind(here, identity, offer, proofOf(n))], "law"));
      assert.equal(said(outcome[0]), `bound ${offer}`);
    }
  }
}

/** BIND takes a row over exactly where the policy lets the interface have it by its last lease. */
async function mustBindAlike(client: PoolClient, request: Bind, fact: Awaited<ReturnType<typeof look>>[number]) {
  if (fact.interface === null) return;
  const key = `default/${formatAddress(request.address)}`;
  const bound = await undone(client, () =>
    bindAll(client, [{ request, fact: { ...fact, others: [] }, interface: fact.interface!, key }], "law"),
  );
  const because = leaseRefusal(addressFacts(request, fact));
  assert.equal(
    bound.has(key),
    because === undefined,
    `${key} to ${identityText(request.identity)}: ${because ?? "may have it"}`,
  );
}

/** The conditions of the statements are those of the functions. */
async function mustCount(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{
    policy: AddressPolicy;
    isRested: boolean;
    isReferenced: boolean;
    kept: boolean;
    counted: boolean;
    held: boolean;
  }>(
    `SELECT l.policy, l.reusable_at <= now() AS "isRested", i.machine IS NOT NULL AS "isReferenced",
       ${KEPT_FOR_HOLDER} AS kept, ${COUNTED_ON} AS counted, ${HELD_FROM_DECLARATION} AS held
     FROM ipam.lease l LEFT JOIN ipam.interface i ON i.id = l.interface`,
  );
  for (const { policy, isRested, isReferenced, kept, counted, held } of rows) {
    assert.equal(kept, isCountedOn(policy, isReferenced, false));
    assert.equal(counted, !isRested || isCountedOn(policy, isReferenced, false));
    assert.equal(held, !isRested || isCountedOn(policy, isReferenced, true));
  }
}

async function undone<T>(client: PoolClient, act: () => Promise<T>): Promise<T> {
  await client.query("SAVEPOINT act");
  const result = await act();
  await client.query("ROLLBACK TO SAVEPOINT act");
  return result;
}

async function inTransaction(act: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await act(client);
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}
