import type pg from "pg";
import { relocationOf, type OtherInterface, relocationEventOf } from "../../policy/relocation.ts";
import type { RelocationEvent } from "../../model/relocation-event.ts";
import { labelOf, type Named } from "../../names/naming.ts";
import type { Segment } from "../../model/model.ts";
import { giveLabels } from "./labels.ts";
import { append } from "../append.ts";
import { IDENTITY_TYPES, type IdentityColumn, identityColumnOf, type Json, toIdentity } from "../../database/rows.ts";
import type { ClientIdentity } from "../../model/identity.ts";
import { BY_KEY } from "../lease/statements.ts";
import { Again } from "../transaction.ts";

/** A device that got an address on a segment where it was not before: it was predicted, away, or is known elsewhere. */
export interface Arrival {
  readonly interface: Json & { readonly id: number };
  readonly identity: ClientIdentity;
  readonly address: string;
  readonly segment: number;
  readonly naming: Segment["naming"];
  readonly expected: Json | null;
  readonly otherInterfaces: readonly OtherInterface[];
  readonly trace?: string;
}

const HOMES = (column: IdentityColumn): string => `
  SELECT k.n::int AS n, i.id AS interface, s.name AS segment, i.state IS NOT NULL AND o.address IS NULL AS "isPredicted",
    CASE WHEN o.runs THEN host(o.address) END AS address, host(o.address) AS last,
    coalesce(s.rehome, CASE WHEN s.is IN ('underlay', 'admin') THEN 'move' ELSE 'keep' END) AS rehome,
    coalesce((SELECT moves FROM ipam.rehoming
      WHERE ${column} = k.client AND at > now() - make_interval(secs => greatest(s.lease_seconds, here.lease_seconds))), 0) AS moves
  FROM unnest($1::int[], $2::${IDENTITY_TYPES[column]}[]) WITH ORDINALITY k (segment, client, n)
  JOIN LATERAL (SELECT vrf, "is", lease_seconds FROM ipam.segment WHERE id = k.segment OFFSET 0) here ON true
  JOIN LATERAL (
    SELECT id, segment, state FROM ipam.interface
    WHERE ${column} = k.client AND segment <> k.segment AND state IS DISTINCT FROM 'away' OFFSET 0
  ) i ON true
  JOIN LATERAL (SELECT * FROM ipam.segment WHERE id = i.segment OFFSET 0) s ON s.vrf = here.vrf AND s.is = here.is
  LEFT JOIN LATERAL (
    SELECT address, state = 'bound' AND expires_at > now() AS runs FROM ipam.lease
    WHERE interface = i.id ORDER BY state = 'bound' DESC, expires_at DESC, family(address) LIMIT 1
  ) o ON true
  ORDER BY k.n, i.id`;

const IDENTITY_COLUMNS = ["mac", "identity"] as const;

/** The other interfaces of devices, one list each, in the order of the devices. */
export async function otherInterfacesOf(
  client: pg.ClientBase,
  devices: readonly { readonly segment: number; readonly identity: ClientIdentity }[],
): Promise<OtherInterface[][]> {
  const otherInterfaces: OtherInterface[][] = devices.map(() => []);
  for (const column of IDENTITY_COLUMNS) {
    const own = [...devices.keys()].filter((n) => identityColumnOf(devices[n]!.identity) === column);
    if (own.length === 0) continue;
    const { rows } = await client.query<Json & { n: number }>({
      name: `otherInterfaces ${column}`,
      text: HOMES(column),
      values: [own.map((n) => devices[n]!.segment), own.map((n) => toIdentity(devices[n]!.identity))],
    });
    for (const { n, ...home } of rows) otherInterfaces[own[n - 1]!]!.push(present(home) as unknown as OtherInterface);
  }
  return otherInterfaces;
}

function present(row: Json): Json {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

/** Rows that another transaction has locked are skipped; the maintenance job retries them. */
const LEAVE = `
  UPDATE ipam.interface i SET state = 'away', machine = NULL, label = NULL, version = nextval('ipam.version')
  FROM (
    SELECT id FROM ipam.interface WHERE id = ANY ($1) AND state IS DISTINCT FROM 'away' ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
  ) o WHERE i.id = o.id
  RETURNING to_jsonb(i) AS "row"`;

/** Releases the leases of interfaces that their device has left. Times and policy stay: an address that its policy keeps stays kept. */
const LET_GO = `
  UPDATE ipam.lease l SET state = 'released', version = nextval('ipam.version')
  FROM unnest($1::int[]) g (interface) WHERE l.interface = g.interface AND l.state = 'bound'
  RETURNING to_jsonb(l) AS "row"`;

const SETTLE_IN = `
  UPDATE ipam.interface i SET state = NULL, role = coalesce(e.role, i.role), machine = coalesce(e.machine, i.machine),
    identified_by = CASE WHEN e.mac IS NULL THEN i.identified_by ELSE 'expected' END, version = nextval('ipam.version')
  FROM unnest($1::int[]) g (id) LEFT JOIN ipam.interface o ON o.id = g.id LEFT JOIN ipam.expected_device e ON e.mac = o.mac
  WHERE i.id = g.id RETURNING to_jsonb(i) AS "row"`;

const COUNT = (column: IdentityColumn): string => `
  INSERT INTO ipam.rehoming AS r (${column}, moves) SELECT * FROM unnest($1::${IDENTITY_TYPES[column]}[], $2::int[])
  ON CONFLICT (${column}) DO UPDATE SET moves = excluded.moves, at = now()`;

/**
 * Records arrivals: a prediction becomes a seen interface; machine, label and names move here from the other interfaces, whose
 * addresses go by their policy. Returns the interfaces as they are now.
 */
export async function arrive(
  client: pg.ClientBase,
  arrivals: readonly Arrival[],
  actor: string,
): Promise<Map<number, Json>> {
  if (arrivals.length === 0) return new Map();
  await client.query(BY_KEY);
  const left = await leave(
    client,
    arrivals.flatMap(({ otherInterfaces }) => otherInterfaces.filter((home) => relocationOf(home) === "leaves")),
    actor,
  );
  const wants = arrivals.flatMap(({ interface: own, otherInterfaces, naming, expected }) => {
    const label = labelOf(naming, (expected ?? undefined) as Named | undefined) ?? null;
    const isFree = otherInterfaces.every((home) => left.has(home.interface));
    return isFree && label !== own["label"] ? [{ id: own.id, label }] : [];
  });
  if (wants.length > 0) await giveLabels(client, wants, actor).catch(again);
  const { rows } = await client.query<{ row: Json & { id: number } }>(SETTLE_IN, [
    arrivals.map(({ interface: own }) => own.id),
  ]);
  const settled = new Map(rows.map(({ row }) => [row.id, row]));
  await append.changes(client, "interface", [...settled.values()], { actor, dns: true });
  await tell(client, arrivals, left, actor);
  return settled;
}

/** Another writer took the label at the same time: the transaction starts again. */
function again(error: unknown): never {
  if ((error as { constraint?: string }).constraint === "interface_label")
    throw new Again("a label was taken meanwhile");
  throw error;
}

/** Marks interfaces as left and releases their leases. Returns their ids; interfaces that another transaction has locked are skipped. */
async function leave(
  client: pg.ClientBase,
  otherInterfaces: readonly OtherInterface[],
  actor: string,
): Promise<Set<number>> {
  if (otherInterfaces.length === 0) return new Set();
  const { rows: away } = await client.query<{ row: Json & { id: number } }>(LEAVE, [
    otherInterfaces.map((home) => home.interface),
  ]);
  const left = new Set(away.map(({ row }) => row.id));
  await append.changes(
    client,
    "interface",
    away.map(({ row }) => row),
    { actor, dns: true },
  );
  const { rows: leases } = await client.query<{ row: Json }>(LET_GO, [[...left]]);
  const rest = leases.map(({ row }) => row);
  await append.changes(client, "lease", rest, { actor: `${actor} rehome`, dns: true }); // its client gave nothing back
  return left;
}

async function tell(
  client: pg.ClientBase,
  arrivals: readonly Arrival[],
  left: ReadonlySet<number>,
  actor: string,
): Promise<void> {
  const told = arrivals.flatMap((arrival) => {
    const otherInterfaces = arrival.otherInterfaces.filter(
      (home) => relocationOf(home) !== "leaves" || left.has(home.interface),
    );
    const news = relocationEventOf(arrival.interface["state"] === "predicted", otherInterfaces);
    return news ? [{ arrival, news }] : [];
  });
  if (told.length === 0) return;
  for (const column of IDENTITY_COLUMNS) {
    const moved = told
      .filter(({ arrival, news }) => news.is === "moved" && identityColumnOf(arrival.identity) === column)
      .map(({ arrival, news }) => ({ client: toIdentity(arrival.identity), moves: (news.home?.moves ?? 0) + 1 }))
      .toSorted((a, b) => (a.client < b.client ? -1 : 1));
    if (moved.length === 0) continue;
    await client.query(COUNT(column), [moved.map((one) => one.client), moved.map(({ moves }) => moves)]);
  }
  const { rows: segments } = await client.query<{ id: number; name: string }>(
    "SELECT id, name FROM ipam.segment WHERE id = ANY ($1)",
    [told.map(({ arrival }) => arrival.segment)],
  );
  const names = new Map(segments.map(({ id, name }) => [id, name]));
  const events = told.map(({ arrival: { identity, segment, address, expected, trace }, news: { is, home } }) => {
    const event: RelocationEvent = {
      is,
      mac: toIdentity(identity),
      segment: names.get(segment)!,
      address,
      ...(home && { from: home.segment }),
      ...(home?.last !== undefined && { was: home.last }),
      ...(expected && { machine: expected["machine"] as string }),
    };
    return { event, trace };
  });
  await append.events(client, "arrival", events, actor);
}
