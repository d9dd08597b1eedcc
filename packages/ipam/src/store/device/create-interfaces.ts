import type pg from "pg";
import type { Bind } from "../../model/lease.ts";
import { labelOf, type Named } from "../../names/naming.ts";
import type { Fact } from "../lease/judge.ts";
import { noteCollision, nthLabel } from "./labels.ts";
import {
  unquotedArray,
  IDENTITY_TYPES,
  type IdentityColumn,
  identityColumnOf,
  type Json,
  toIdentity,
} from "../../database/rows.ts";
import { INSERT_INTERFACES } from "../lease/statements.ts";
import { Again } from "../transaction.ts";

/** A client that binds its first address on a segment. */
export interface NewInterface {
  readonly request: Bind;
  readonly fact: Fact;
}

const LABEL_ATTEMPTS = 6;

/** The label of a new interface. A device that is known elsewhere gets its label when it arrives. */
function wantedLabel({ naming, expected, otherInterfaces = [] }: Fact): string | null {
  if (otherInterfaces.length > 0) return null;
  return (expected && labelOf(naming, expected as unknown as Named)) ?? null;
}

/**
 * Creates the missing interfaces with role, machine and label of their expected devices. A label that is taken gets a suffix, and after
 * some attempts there is none: a name never blocks an address.
 */
export async function createInterfaces(
  client: pg.ClientBase,
  missing: readonly NewInterface[],
  actor: string,
): Promise<Map<Bind, Json>> {
  const rows = new Map<string, Json>();
  if (missing.length === 0) return new Map();
  const column = identityColumnOf(missing[0]!.request.identity);
  let left = missing.toSorted((a, b) => (key(a.request) < key(b.request) ? -1 : 1));
  for (let attempt = 1; left.length > 0; attempt++) {
    const { rows: put } = await client.query<Made>({
      name: `insert-interfaces ${column}`,
      text: INSERT_INTERFACES[column],
      values: [actor, ...columns(left, attempt)],
    });
    const made = new Map(put.map((row) => [`${row.segment} ${row.client}`, row]));
    for (const { request, fact } of left) {
      const row = made.get(key(request));
      if (row) rows.set(key(request), { ...own(column, row), ...known(fact) });
    }
    left = left.filter(({ request }) => !rows.has(key(request)));
    if (left.length > 0) await mustBeLabels(client, left, attempt);
  }
  for (const { request, fact } of missing) {
    const [row, wanted] = [rows.get(key(request))!, wantedLabel(fact)];
    const given = row["label"] as string | null;
    if (wanted !== given)
      await noteCollision(client, { wanted: wanted!, given, interface: row["id"] as number }, actor);
  }
  return new Map(missing.map(({ request }) => [request, rows.get(key(request))!]));
}

interface Made {
  readonly id: number;
  readonly segment: number;
  readonly client: string;
  readonly label: string | null;
  readonly version: number;
}

/** The row of an interface that was made, as its table has it. */
function own(column: IdentityColumn, { client, ...row }: Made): Json {
  return { ...row, [column]: client };
}

/** The columns of a new interface that its expected device gives. */
function known({ expected }: Fact): Json & Record<"role" | "machine" | "identified_by", string | null> {
  if (!expected) return { role: "other", machine: null, identified_by: "lease" };
  return { role: expected["role"] as string, machine: expected["machine"] as string, identified_by: "expected" };
}

function columns(missing: readonly NewInterface[], attempt: number): unknown[] {
  const all = missing.map(({ fact }) => known(fact));
  return [
    unquotedArray(missing.map(({ request }) => request.segment)),
    missing.map(({ request }) => toIdentity(request.identity)),
    unquotedArray(missing.map(({ fact }) => fact.domain)),
    unquotedArray(all.map(({ role }) => role)),
    all.map(({ machine }) => machine),
    missing.map(({ fact }) => nthLabel(wantedLabel(fact), attempt)),
    unquotedArray(all.map(({ identified_by }) => identified_by)),
  ];
}

/** If another writer has created an interface of the batch meanwhile, the batch must read its facts again. */
async function mustBeLabels(client: pg.ClientBase, left: readonly NewInterface[], attempt: number): Promise<void> {
  const column = identityColumnOf(left[0]!.request.identity);
  const { rowCount } = await client.query({
    name: `interfaces-exist ${column}`,
    text: `SELECT 1 FROM unnest($1::int[], $2::${IDENTITY_TYPES[column]}[], $3::boolean[]) k (segment, client, elsewhere), LATERAL (
             SELECT FROM ipam.interface
             WHERE ${column} = k.client AND (segment = k.segment OR NOT k.elsewhere AND state IS DISTINCT FROM 'away') OFFSET 0)`,
    values: [
      left.map(({ request }) => request.segment),
      left.map(({ request }) => toIdentity(request.identity)),
      left.map(({ fact }) => fact.elsewhere),
    ],
  });
  if (rowCount || attempt >= LABEL_ATTEMPTS) throw new Again("an interface appeared while it was being made");
}

/** The order in which all writers lock interfaces. */
function key({ segment, identity }: Bind): string {
  return `${segment} ${toIdentity(identity)}`;
}
