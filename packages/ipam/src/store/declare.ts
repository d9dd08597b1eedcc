import { type Address, contains, isIPv4, isMalformed, parseAddress, parseMac, parsePrefix } from "@firstlight/wire";
import type pg from "pg";
import type { ExpectedMachines, IpamConfig, SiteDeclaration } from "../config.ts";
import { IDENTITY } from "../identity.ts";
import { SUFFIX } from "../naming.ts";
import type { AddressRange, Domain, RolePool, Segment } from "../model.ts";
import { readRange } from "../pool/slot.ts";
import { type Declared, Exhausted, Refused, type ReservationEdit, type SegmentEdit } from "../store.ts";
import { type Device, expectDevices } from "./expect.ts";
import { declareNames } from "./names.ts";
import { putPool } from "./pools.ts";
import { putReservation } from "./reservations.ts";
import { put } from "./put.ts";
import { type Json, rowFrom } from "./rows.ts";
import { segmentNamed, writeSegment } from "./segments.ts";

/** Brings the database to the file: all of it or, with the reason, nothing. What the file does not name stays as it is. */
export async function declareSite(client: pg.ClientBase, site: SiteDeclaration, actor: string): Promise<Declared> {
  const changed: string[] = [];
  const domains: Domain[] = [];
  const segments: Segment[] = [];
  for (const declared of site.ipam.domains) {
    const { rows } = await client.query<{ row: Json }>(
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
function segmentEdit({ kind, prefixes, ...declared }: IpamConfig["segments"][number]): SegmentEdit {
  const { vlan, vni, asn, loopback, drainSeconds, rehome, state, ...plain } = declared;
  const optional = {
    vlan,
    vni,
    asn,
    drainSeconds,
    rehome,
    loopback: typeof loopback === "string" ? read(parseAddress(loopback), loopback) : loopback,
  } as Pick<SegmentEdit, "vlan" | "vni" | "asn" | "loopback" | "drainSeconds" | "rehome">;
  return {
    ...plain,
    ...optional,
    ...(state && { state }),
    is: kind,
    options: plain.options as Segment["options"],
    prefixes: prefixes.map(({ prefix, gateway, reserved, excluded, reservedRanges = [], pools = [], state }) => ({
      prefix: read(parsePrefix(prefix), prefix),
      ...(gateway !== undefined && { gateway: read(parseAddress(gateway), gateway) }),
      reserved,
      reservedRanges: reservedRanges.map((text) => reservedRange(prefix, text)),
      excluded: excluded.map((address) => read(parseAddress(address), address)),
      pools: pools.map(rolePool),
      ...(state && { state }),
    })),
  };
}

/** A pool of a prefix, as the file writes it. */
export function rolePool({ from, to, roles }: NonNullable<PrefixConfig["pools"]>[number]): RolePool {
  return { first: read(parseAddress(from), from), last: read(parseAddress(to), to), roles };
}

type PrefixConfig = IpamConfig["segments"][number]["prefixes"][number];

/** A segment that asks a pool which has none left is left out, with the reason; what is wrong otherwise stops the whole file. */
async function declareSegment(
  client: pg.ClientBase,
  declared: IpamConfig["segments"][number],
  actor: string,
): Promise<Awaited<ReturnType<typeof writeSegment>> | string> {
  const before = await segmentNamed(client, declared.name);
  const write = () => writeSegment(client, before, segmentEdit(declared), { actor, removes: false });
  if (![declared.vlan, declared.vni, declared.asn, declared.loopback].some((value) => typeof value === "object"))
    return write();
  await client.query("SAVEPOINT segment");
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error;
    await client.query("ROLLBACK TO SAVEPOINT segment");
    return error.message;
  }
}

/** A range of addresses in a prefix: its ends, one address, or a prefix inside. */
export function reservedRange(prefix: string, text: string): AddressRange {
  const within = read(parsePrefix(prefix), prefix);
  const isV4 = isIPv4(within.address);
  const range = readRange({ is: isV4 ? "ipv4" : "ipv6" }, text);
  if (isMalformed(range)) throw new Refused(`prefix ${prefix}: reserved range ${text}: ${range.because}`);
  const [first, last] = [range.first, range.end - 1n].map((slot): Address => (isV4 ? Number(slot) : slot));
  if (!contains(within, first!) || !contains(within, last!))
    throw new Refused(`prefix ${prefix}: reserved range ${text} is not in it`);
  return { first: first!, last: last! };
}

/** A reservation of the file as an operator would write it. */
export function reservationEdit({
  segment,
  address,
  mac,
  uuid,
  clientId,
  port,
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
  return { segment, address: read(parseAddress(address), address), identity: identity! };
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
  if (isMalformed(value)) throw new Refused(`${text}: ${value.because}`);
  return value as Exclude<T, { is: "malformed" }>;
}
