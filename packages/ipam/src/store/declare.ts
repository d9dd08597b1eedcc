import { isMalformed, parseAddress, parseMac } from "@firstlight/wire";
import type pg from "pg";
import type { ExpectedMachines, IpamConfig, SiteDeclaration } from "../config.ts";
import { IDENTITY } from "../model/identity.ts";
import { SUFFIX } from "../names/naming.ts";
import { PREFIX_FIELDS } from "../fields/prefix.ts";
import { POOLED_FIELDS, SEGMENT_FIELDS } from "../fields/segment.ts";
import { RESERVATION_FIELDS } from "../fields/reservation.ts";
import { readValues, type Refusal } from "../fields/values.ts";
import type { Domain, Segment } from "../model/model.ts";
import { type Declared, Exhausted, type PrefixEdit, Refused, type ReservationEdit, type SegmentEdit } from "./store.ts";
import { type Device, expectDevices } from "./device/expect.ts";
import { declareNames } from "./dns/names.ts";
import { putPool } from "./pool/pools.ts";
import { putReservation } from "./reservation/reservations.ts";
import { put } from "./put.ts";
import { type Json, rowFrom, type StoredRow } from "../database/rows.ts";
import { segmentNamed, writeSegment } from "./segment/segments.ts";

/** Applies the file to the database: all of it or, with the reason, nothing. What the file does not name stays as it is. */
export async function declareSite(client: pg.ClientBase, site: SiteDeclaration, actor: string): Promise<Declared> {
  const changed: string[] = [];
  const domains: Domain[] = [];
  const segments: Segment[] = [];
  for (const declared of site.ipam.domains) {
    const { rows } = await client.query<{ row: StoredRow<"domain"> }>(
      `SELECT to_jsonb(d) AS "row" FROM ipam.domain d WHERE name = $1`,
      [declared.name],
    );
    const done = await put(client, "domain", rows[0]?.row, domainColumns(declared), `domain ${declared.name}`, actor);
    domains.push(rowFrom("domain", done.row));
    changed.push(...done.changed);
  }
  for (const { kind, ...declared } of site.ipam.pools)
    changed.push(...(await putPool(client, { ...declared, is: kind }, actor)));
  const faults: string[] = [];
  const failed = new Set<string>();
  for (const declared of site.ipam.segments) {
    const done = await declareSegment(client, declared, actor);
    if (typeof done === "string") {
      faults.push(done);
      failed.add(declared.name);
      continue;
    }
    segments.push(done.segment);
    changed.push(...done.changed);
  }
  changed.push(...(await expectDevices(client, devicesOf(site.expectedMachines), actor)));
  for (const declared of site.ipam.reservations) {
    if (failed.has(declared.segment)) {
      faults.push(`reservation of ${declared.address}: segment ${declared.segment} could not be made`);
      continue;
    }
    const edit = reservationEdit(declared);
    if ((await putReservation(client, edit, actor)).isNew)
      changed.push(`segment ${edit.segment}: ${declared.address} is reserved for ${edit.identity}`);
  }
  changed.push(...(await declareNames(client, site.ipam.names, actor)));
  return { domains, segments, changed, faults };
}

function domainColumns({ name, nameServers, ttlSeconds, negativeTtlSeconds }: IpamConfig["domains"][number]): Json {
  return { name, name_servers: nameServers, ttl_seconds: ttlSeconds, negative_ttl_seconds: negativeTtlSeconds };
}

/** A segment of the file as an operator would write it; an optional field that is missing there is cleared here. */
function segmentEdit({ prefixes, options, ...settings }: IpamConfig["segments"][number]): SegmentEdit {
  return {
    ...readValues(SEGMENT_FIELDS, settings, refusal, { isWhole: true }),
    options: options as Segment["options"],
    prefixes: prefixes.map((prefix) => prefixEdit(prefix, refusal)),
  } as unknown as SegmentEdit;
}

const refusal: Refusal = (_field, value, because) =>
  new Refused("value-malformed", { value: String(value), fault: because });

/** A prefix of the file as an operator would write it; ranges and pools that are missing there are none. */
export function prefixEdit(
  { reservedRanges = [], pools = [], ...settings }: IpamConfig["segments"][number]["prefixes"][number],
  refuse: Refusal,
): PrefixEdit {
  const values = { ...settings, reservedRanges, pools };
  const edit = readValues(PREFIX_FIELDS, values, refuse, { within: settings.prefix });
  return edit as unknown as PrefixEdit;
}

/** A segment that asks a pool which has none left is left out, with the reason; what is wrong otherwise stops the whole file. */
async function declareSegment(
  client: pg.ClientBase,
  declared: IpamConfig["segments"][number],
  actor: string,
): Promise<Awaited<ReturnType<typeof writeSegment>> | string> {
  const before = await segmentNamed(client, declared.name);
  const write = () => writeSegment(client, before, segmentEdit(declared), { actor, removes: false });
  if (!POOLED_FIELDS.some((field) => typeof declared[field] === "object")) return write();
  await client.query("SAVEPOINT segment");
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error;
    await client.query("ROLLBACK TO SAVEPOINT segment");
    return error.message;
  }
}

/** A reservation of the file as an operator would write it. */
export function reservationEdit({
  segment,
  address,
  mac,
  uuid,
  clientId,
  port,
  ...settings
}: IpamConfig["reservations"][number]): ReservationEdit {
  const identity =
    mac !== undefined
      ? IDENTITY.mac(read(parseMac(mac), mac))
      : uuid !== undefined
        ? IDENTITY.uuid(Buffer.from(uuid.replaceAll("-", ""), "hex"))
        : clientId !== undefined
          ? IDENTITY.clientId(bytesOf(clientId))
          : IDENTITY.port({
              giaddr: read(parseAddress(port!.relay), port!.relay),
              circuitId: bytesOf(port!.circuitId),
              ...(port!.remoteId !== undefined && { remoteId: bytesOf(port!.remoteId) }),
            });
  return {
    segment,
    address: read(parseAddress(address), address),
    identity: identity!,
    ...readValues(RESERVATION_FIELDS, settings, refusal),
  };
}

function bytesOf(text: string): Uint8Array {
  return text.startsWith("0x") ? Buffer.from(text.slice(2), "hex") : Buffer.from(text, "latin1");
}

/** The interfaces of the expected machines. A second one of the same role gets `-2`, and so on. */
export function devicesOf(machines: ExpectedMachines): Device[] {
  return machines.flatMap(({ name, serial, interfaces }) => {
    const count = new Map<string, number>();
    return interfaces.map(({ mac, role, label, address, segment }) => {
      const base = `${name}${SUFFIX[role]}`;
      const nth = (count.get(base) ?? 0) + 1;
      if (label === undefined) count.set(base, nth);
      return {
        mac: read(parseMac(mac), mac),
        machine: name,
        ...(serial !== undefined && { serial }),
        role,
        label: (label ?? (nth === 1 ? base : `${base}-${nth}`)).toLowerCase(),
        ...(address !== undefined && { address: read(parseAddress(address), address) }),
        ...(segment !== undefined && { segment }),
      };
    });
  });
}

function read<T>(value: T, text: string): Exclude<T, { is: "malformed" }> {
  if (isMalformed(value)) throw new Refused("value-malformed", { value: text, fault: value.because });
  return value as Exclude<T, { is: "malformed" }>;
}
