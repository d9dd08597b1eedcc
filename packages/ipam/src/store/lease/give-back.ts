import type pg from "pg";
import { keyOf } from "../../model/key.ts";
import type { GiveBack } from "../../model/lease.ts";
import type { Lease } from "../../model/model.ts";
import type { Admitted } from "./admitted.ts";
import { type Json, rowFrom, toAddress } from "../../database/rows.ts";
import { BY_KEY, GIVE_BACK } from "./statements.ts";

/** Releases and declines leases in one statement. Returns them by key; a lease that was not bound is missing. */
export async function giveBack(
  client: pg.ClientBase,
  given: readonly Admitted<GiveBack>[],
  actor: string,
): Promise<Map<string, Lease>> {
  if (given.length === 0) return new Map();
  await client.query(BY_KEY);
  return await leasesOf(client, "give-back", GIVE_BACK, [
    actor,
    given.map(({ fact }) => fact.vrf),
    given.map(({ request }) => toAddress(request.address)),
    given.map((one) => one.interface.id),
    given.map(({ request }) => (request.do === "release" ? "released" : "declined")),
    given.map(({ fact }) => fact.grace_seconds),
    given.map(({ request }) => request.trace ?? null),
  ]);
}

/** The leases that a statement wrote, by key. */
export async function leasesOf(
  client: pg.ClientBase,
  name: string,
  text: string,
  values: unknown[],
): Promise<Map<string, Lease>> {
  const { rows } = await client.query<{ row: Json }>({ name, text, values });
  return new Map(rows.map(({ row }) => rowFrom("lease", row)).map((lease) => [keyOf(lease), lease]));
}
