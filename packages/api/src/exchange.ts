import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  ExchangeService,
  ForeignLease,
  ImportResponseSchema,
} from "@firstlight/api-client/gen/firstlight/v1/exchange_pb.js";
import {
  BOUNDS,
  type Exchange,
  type Fault,
  type FoundLease,
  FORMATS,
  type Imported,
  SHEET_KINDS,
} from "@firstlight/ipam/exchange";
import { addressOf, addressText, macOf, oneOf, textOf } from "./field.ts";
import { invalid } from "./no.ts";
import type { Handlers } from "./server.ts";

const PIECE = 256 * 1024;
const MAX_NAME = 300;
const MOST_LEASES = 1_000;
/** RFC 2132 §9.14 and RFC 3046: an option's length is one byte. */
const MAX_OPTION = 255;

/** Sheets and leases, in and out, for operators. */
export function exchangeHandlers(exchange: Exchange): Handlers<typeof ExchangeService> {
  return {
    async *export(request) {
      const kind = oneOf(SHEET_KINDS, request.kind, "kind");
      const text = await exchange.export(kind, oneOf(FORMATS, request.format, "format"));
      for (let at = 0; at < text.length;) {
        const end = pieceEnd(text, at);
        yield { text: text.slice(at, end) };
        at = end;
      }
    },

    async import(request, { actor }) {
      const sheet = {
        kind: oneOf(SHEET_KINDS, request.kind, "kind"),
        format: oneOf(FORMATS, request.format, "format"),
        text: request.text,
        isDryRun: request.dryRun,
        segment: textOf(request.segment, "segment", MAX_NAME),
      };
      return importedToWire(await exchange.import(sheet, actor));
    },

    async importLeases(request, { actor }) {
      if (request.leases.length > MOST_LEASES) throw invalid("leases", `at most ${MOST_LEASES}`);
      const relay = request.relay === "" ? undefined : addressOf(request.relay, "relay");
      const only = {
        vrf: textOf(request.vrf, "vrf", MAX_NAME) || "default",
        segment: textOf(request.segment, "segment", MAX_NAME),
        ...(relay !== undefined && { relay }),
      };
      const leases = request.leases.map((lease, n) => leaseFrom(lease, `leases[${n}]`));
      return { outcomes: await exchange.importLeases({ leases, ...only, isDryRun: request.dryRun }, actor) };
    },
  };
}

/** Never between the halves of a surrogate pair. */
function pieceEnd(text: string, at: number): number {
  const end = Math.min(text.length, at + PIECE);
  return end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff ? end - 1 : end;
}

function importedToWire({ faults, rows, unchanged, notes }: Imported): MessageInitShape<typeof ImportResponseSchema> {
  return {
    faults: faults.map(faultToWire),
    rows: rows
      .slice(0, BOUNDS.shown)
      .map(({ changed, ...row }) => ({ ...row, cells: changed.map((cell) => ({ ...cell })) })),
    changed: rows.length,
    unchanged,
    notes: notes.map(faultToWire),
  };
}

const faultToWire = ({ row = 0, column = "", because }: Fault) => ({ row, column, because });

function leaseFrom({ address, mac, expires, ...options }: ForeignLease, field: string): FoundLease {
  if (!expires) throw invalid(`${field}.expires`, "is missing");
  const optional = (name: "clientId" | "circuitId" | "remoteId") => {
    const bytes = options[name];
    if (bytes.length > MAX_OPTION) throw invalid(`${field}.${name}`, `longer than ${MAX_OPTION} bytes`);
    return bytes.length > 0 ? { [name]: bytes } : {};
  };
  return {
    address: addressText(address, `${field}.address`),
    mac: macOf(mac, `${field}.mac`),
    expiresAt: Number(expires.seconds) * 1000,
    ...optional("clientId"),
    ...optional("circuitId"),
    ...optional("remoteId"),
  };
}
