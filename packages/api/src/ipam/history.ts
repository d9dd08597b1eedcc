import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  ArrivalSchema,
  AuditEntrySchema,
  HistoryService,
  PrefixUtilisationSchema,
  TenancySchema,
} from "@firstlight/api-client/gen/firstlight/v1/history_pb.js";
import type { Utilisation } from "@firstlight/ipam";
import type { Arrived, Audited, History, Tenancy } from "@firstlight/ipam/ops";
import { addressOf, macOf, pageSize, textOf } from "../grpc/field.ts";
import { parseMac, assertParsed } from "@firstlight/wire";
import { invalid } from "../grpc/error.ts";
import type { Handlers } from "../grpc/server.ts";

const MAX_WORD = 300;

/** History and trend, read from the database. */
export function historyHandlers(
  history: History,
  trendDays: number,
  now: () => number,
): Handlers<typeof HistoryService> {
  return {
    async whoHad(request) {
      const address = addressOf(request.address, "address");
      const vrf = textOf(request.vrf, "vrf", MAX_WORD);
      const { tenancies, because } = await history.whoHad(address, msOf(request.at) ?? now(), vrf || undefined);
      return { tenancies: tenancies.map(tenancyToWire), because: because ?? "" };
    },

    async whatHad(request) {
      const mac = macOf(request.mac, "mac");
      const limit = pageSize(request.pageSize, 100, 1_000);
      const after = markOf(request.pageToken);
      const told = await history.whatHad(assertParsed(parseMac(mac), mac), limit, after);
      return {
        tenancies: told.tenancies.map((one) => tenancyToWire({ ...one, mac })),
        arrivals: after === undefined ? told.arrivals.map(arrivalToWire) : [],
        nextPageToken: told.next === undefined ? "" : Buffer.from(told.next).toString("base64url"),
        because: told.because ?? "",
      };
    },

    async audit(request) {
      const limit = pageSize(request.pageSize, 100, 1_000);
      const [from, to, before] = [msOf(request.from), msOf(request.to), tokenOf(request.pageToken)];
      const word = (field: "actor" | "kind" | "key") => textOf(request[field], field, MAX_WORD);
      const [actor, kind, key] = [word("actor"), word("kind"), word("key")];
      const entries = await history.audit({
        limit,
        ...(actor !== "" && { actor }),
        ...(kind !== "" && { kind }),
        ...(key !== "" && { key }),
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...(before !== undefined && { before }),
      });
      const isFull = entries.length === limit;
      return { entries: entries.map(entryToWire), nextPageToken: isFull ? String(entries.at(-1)!.id) : "" };
    },

    async getUtilisation() {
      return { prefixes: (await history.utilisation(trendDays)).map(utilisationToWire) };
    },
  };
}

function msOf(time: Timestamp | undefined): number | undefined {
  return time && Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6);
}

/** The id of the last entry of the page before. */
function tokenOf(token: string): number | undefined {
  if (token === "") return undefined;
  if (!/^\d{1,15}$/.test(token)) throw invalid("page_token", "page-token-foreign");
  return Number(token);
}

/** The key of the last row of the previous page: start, VRF and address. */
function markOf(token: string): string | undefined {
  if (token === "") return undefined;
  const text = Buffer.from(textOf(token, "page_token", MAX_WORD), "base64url").toString();
  if (!/^\["\d{4}-[-+:.\d ]{10,40}","[^"\\]{1,253}","[0-9a-f.:]{2,45}"\]$/.test(text))
    throw invalid("page_token", "page-token-foreign");
  return text;
}

function arrivalToWire({
  at,
  is: kind,
  from = "",
  was = "",
  ...where
}: Arrived): MessageInitShape<typeof ArrivalSchema> {
  return { ...where, at: timestampFromMs(at), kind, from, was };
}

function tenancyToWire({
  is: state,
  from,
  until,
  circuitId,
  ...tenancy
}: Omit<Tenancy, "is"> & { readonly is: string }): MessageInitShape<typeof TenancySchema> {
  return {
    ...tenancy,
    interface: BigInt(tenancy.interface),
    state,
    from: timestampFromMs(from),
    until: timestampFromMs(until),
    ...(circuitId && { circuitId: Uint8Array.from(circuitId) }),
  };
}

function entryToWire({ id: _id, position, at, changed, ...entry }: Audited): MessageInitShape<typeof AuditEntrySchema> {
  return {
    ...entry,
    position: BigInt(position),
    at: timestampFromMs(at),
    changed: changed.map((difference) => ({ ...difference })),
  };
}

function utilisationToWire({ at, pools = [], ...use }: Utilisation): MessageInitShape<typeof PrefixUtilisationSchema> {
  return { ...use, pools: pools.map((pool) => ({ ...pool, roles: [...pool.roles] })), at: timestampFromMs(at) };
}
