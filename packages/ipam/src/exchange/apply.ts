import { formatAddress, parseAddress, parseMac, parsePrefix, sound } from "@firstlight/wire";
import type pg from "pg";
import type { ExpectedMachines } from "../config.ts";
import type { Role, Segment } from "../model.ts";
import { Refused } from "../store.ts";
import { refusalOf } from "../store/constraints.ts";
import { devicesOf, reservationEdit, reservedRange } from "../store/declare.ts";
import { type Device, expectDevices } from "../store/expect.ts";
import { deleteReservation, putReservation } from "../store/reservations.ts";
import { segmentNamed, writeSegment } from "../store/segments.ts";
import { plainOf } from "./column.ts";
import type { Wanted } from "./judge.ts";
import { KINDS, type SheetKind } from "./kinds.ts";
import type { Cells, Fault } from "./sheet.ts";

type Writer = (client: pg.ClientBase, rows: readonly Wanted[], actor: string) => Promise<Fault[]>;

/** Writes rows that are new or changed, in a transaction that its caller opened; every row that cannot be is a fault. */
export const WRITERS: Readonly<Record<SheetKind, Writer>> = {
  segments: (client, rows, actor) =>
    each(rows, (row) => attempt(client, [row], ([row]) => putSegment(client, row!, actor), { domain: /no domain/ })),

  prefixes: (client, rows, actor) =>
    each(groups(rows, "segment"), (group) =>
      attempt(client, group, (rows) => putPrefixes(client, rows, actor), {
        segment: /no segment/,
        gateway: /gateway/,
        reservedRanges: /reserved range/,
        reserved: /reserved/,
        prefix: /./,
      }),
    ),

  reservations: (client, rows, actor) =>
    each(rows, (row) =>
      attempt(client, [row], ([row]) => reserve(client, row!, actor), { segment: /no segment/, address: /address/ }),
    ),

  expected: (client, rows, actor) =>
    attempt(client, rows, (rows) => expectDevices(client, devices(rows), actor), {
      label: /label/,
      address: /address/,
    }),
};

async function each<T>(of: readonly T[], write: (one: T) => Promise<Fault[]>): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const one of of) faults.push(...(await write(one)));
  return faults;
}

/** Each row that the store refuses costs a turn over the others. */
const MOST_TURNS = 20;

/**
 * What the store refuses is a fault of the row it speaks of; the others are tried again without it, so that one who wrote
 * a sheet by hand learns of more than one fault at a time.
 */
async function attempt(
  client: pg.ClientBase,
  rows: readonly Wanted[],
  write: (rows: readonly Wanted[]) => Promise<unknown>,
  columns: Readonly<Record<string, RegExp>>,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (let left = rows; left.length > 0 && faults.length < MOST_TURNS;) {
    const because = await refusalOfTurn(client, () => write(left));
    if (because === undefined) break;
    const column = Object.keys(columns).find((name) => columns[name]!.test(because));
    const named = left.find((one) => isOf(one, because));
    faults.push({ row: (named ?? left[0]!).row, ...(column !== undefined && { column }), because });
    left = named ? left.filter((one) => one !== named) : [];
  }
  return faults;
}

/** Why the store would not; undefined when it did. */
async function refusalOfTurn(client: pg.ClientBase, write: () => Promise<unknown>): Promise<string | undefined> {
  await client.query("SAVEPOINT turn");
  try {
    await write();
    await client.query("RELEASE SAVEPOINT turn");
    return undefined;
  } catch (error) {
    const refused = refusalOf(error);
    if (!(refused instanceof Refused)) throw error;
    await client.query("ROLLBACK TO SAVEPOINT turn");
    return refused.message;
  }
}

/** Whether a refusal names the row: its prefix, address or MAC as a word of its own. */
function isOf({ cells }: Wanted, because: string): boolean {
  const words = new Set(because.split(/[\s,():=]+(?![0-9a-f]{2}:)|[\s,()]+/));
  return [cells["prefix"], cells["mac"], cells["address"]].some(
    (word) => word !== undefined && word !== "" && words.has(word),
  );
}

function groups(rows: readonly Wanted[], column: string): Wanted[][] {
  return [...Map.groupBy(rows, ({ cells }) => cells[column]).values()];
}

const OPTIONS = ["routers", "domainNameServers", "ntpServers", "domainSearch", "staticRoutes"] as const;

async function putSegment(client: pg.ClientBase, { cells, changed }: Wanted, actor: string): Promise<void> {
  const before = await segmentNamed(client, cells["name"]!);
  const edit: Record<string, unknown> = {};
  for (const { column } of changed) edit[FIELDS[column] ?? column] = valueOf("segments", column, cells);
  if (!before || OPTIONS.some((name) => name in edit)) edit["options"] = optionsOf(cells, before);
  for (const name of OPTIONS) delete edit[name];
  const whole = before ? edit : { vlan: undefined, vni: undefined, ...edit, prefixes: [] };
  await writeSegment(client, before, whole, { actor, removes: false });
}

const FIELDS: Readonly<Record<string, string>> = { kind: "is" };

/** Options that no sheet has a column for stay. */
function optionsOf(cells: Cells, before: Awaited<ReturnType<typeof segmentNamed>>): Segment["options"] {
  const said = OPTIONS.map(
    (name) => [name, cells[name] === "" ? undefined : valueOf("segments", name, cells)] as const,
  );
  const { staticRoutes, ...options } = Object.fromEntries(said);
  const routes = (staticRoutes as readonly string[] | undefined)?.map((route) => {
    const [to, via] = route.split("=");
    return { to: to!, via: via! };
  });
  return {
    ...(before?.["options"] as Segment["options"]),
    ...options,
    staticRoutes: routes,
  } as Segment["options"];
}

/** The value of a cell; an empty one is not there. */
function valueOf(kind: SheetKind, column: string, cells: Cells): unknown {
  return plainOf(KINDS[kind].columns[column]!, cells[column]!) ?? undefined;
}

async function putPrefixes(client: pg.ClientBase, rows: readonly Wanted[], actor: string): Promise<void> {
  const name = rows[0]!.cells["segment"]!;
  const before = await segmentNamed(client, name);
  if (!before) throw new Refused(`there is no segment ${name}`);
  const prefixes = rows.map(({ cells }) => ({
    prefix: sound(parsePrefix(cells["prefix"]!), cells["prefix"]!),
    ...(cells["gateway"] !== "" && { gateway: sound(parseAddress(cells["gateway"]!), cells["gateway"]!) }),
    reserved: Number(cells["reserved"]),
    excluded: (valueOf("prefixes", "excluded", cells) as string[]).map((text) => sound(parseAddress(text), text)),
    reservedRanges: (valueOf("prefixes", "reservedRanges", cells) as string[]).map((text) =>
      reservedRange(cells["prefix"]!, text),
    ),
  }));
  await writeSegment(client, before, { prefixes }, { actor, removes: false });
}

async function reserve(client: pg.ClientBase, { cells, isNew }: Wanted, actor: string): Promise<void> {
  const { segment, address, mac, uuid, clientId, relay, circuitId, remoteId } = cells;
  const edit = reservationEdit({
    segment: segment!,
    address: address!,
    ...(mac && { mac }),
    ...(uuid && { uuid }),
    ...(clientId && { clientId }),
    ...(relay && { port: { relay, circuitId: circuitId!, ...(remoteId && { remoteId }) } }),
  });
  if (!isNew) await deleteReservation(client, segment!, edit.address, actor);
  await putReservation(client, edit, actor);
}

/** Devices as the store wants them; one without a label is named as the site's file would name it. */
function devices(rows: readonly Wanted[]): Device[] {
  const machines: ExpectedMachines = groups(rows, "machine").map((group) => ({
    name: group[0]!.cells["machine"]!,
    interfaces: group.map(({ cells: { mac, role, label, address } }) => ({
      mac: mac!,
      role: role as Role,
      ...(label && { label }),
      ...(address && { address: formatAddress(sound(parseAddress(address), address)) }),
    })),
  }));
  const serials = new Map(rows.map(({ cells }) => [sound(parseMac(cells["mac"]!), cells["mac"]!), cells["serial"]]));
  return devicesOf(machines).map((device) => {
    const serial = serials.get(device.mac);
    return serial ? { ...device, serial } : device;
  });
}
