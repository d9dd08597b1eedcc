import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  ExchangeService,
  ForeignLease,
  ImportRequest,
  ImportResponseSchema,
} from "@firstlight/api-client/gen/firstlight/v1/exchange_pb.js";
import { textChunks } from "@firstlight/api-client";
import {
  BOUNDS,
  type Exchange,
  type Fault,
  type FoundLease,
  FORMATS,
  type Imported,
  type ImportRequest as Sheet,
  type RowChange,
  SHEET_KINDS,
} from "@firstlight/ipam/exchange";
import { withTimeout } from "@firstlight/service";
import { addressOf, addressText, macOf, oneOf, textOf } from "../grpc/field.ts";
import { invalid, callRefused } from "../grpc/error.ts";
import type { Handlers } from "../grpc/server.ts";

const MAX_NAME = 300;
const MOST_LEASES = 1_000;
/** The limit of imports at a time: each holds its sheet in memory, and other edits wait while one is written. */
const MOST_IMPORTS = 2;
const MOST_SHOWN_BYTES = 3_000_000;
const GATHER_MS = 60_000;
/** RFC 2132 §9.14 and RFC 3046: an option's length is one byte. */
const MAX_OPTION = 255;

/** Sheets and leases, in and out, for operators. */
export function exchangeHandlers(exchange: Exchange): Handlers<typeof ExchangeService> {
  let underWay = 0;
  return {
    async *export(request) {
      const kind = oneOf(SHEET_KINDS, request.kind, "kind");
      const text = await exchange.export(kind, oneOf(FORMATS, request.format, "format"));
      for (const piece of textChunks(text)) yield { text: piece };
    },

    async import(requests, { actor }) {
      if (underWay >= MOST_IMPORTS) throw callRefused("imports-limit", { most: String(MOST_IMPORTS) });
      underWay++;
      try {
        const sheet = await withTimeout(GATHER_MS, gathered(requests));
        return importedToWire(await exchange.import(sheet, actor));
      } finally {
        underWay--;
      }
    },

    async importLeases(request, { actor }) {
      if (request.leases.length > MOST_LEASES)
        throw invalid("leases", "field-too-large", { most: String(MOST_LEASES) });
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

/** The sheet of a stream: its kind from the first message, its text from all of them, up to the limit. */
async function gathered(requests: AsyncIterable<ImportRequest>): Promise<Sheet> {
  let sheet: Omit<Sheet, "text"> | undefined;
  const pieces: string[] = [];
  let length = 0;
  for await (const request of requests) {
    sheet ??= {
      kind: oneOf(SHEET_KINDS, request.kind, "kind"),
      format: oneOf(FORMATS, request.format, "format"),
      isDryRun: request.dryRun,
      segment: textOf(request.segment, "segment", MAX_NAME),
    };
    length += request.text.length;
    if (length > BOUNDS.characters) throw callRefused("import-too-long", { most: String(BOUNDS.characters) });
    pieces.push(request.text);
  }
  if (!sheet) throw invalid("kind", "field-missing");
  return { ...sheet, text: pieces.join("") };
}

function importedToWire({ faults, rows, unchanged, notes }: Imported): MessageInitShape<typeof ImportResponseSchema> {
  return {
    faults: faults.map(faultToWire),
    rows: shown(rows).map(({ changed, ...row }) => ({ ...row, cells: changed.map((cell) => ({ ...cell })) })),
    changed: rows.length,
    unchanged,
    notes: notes.map(faultToWire),
  };
}

/** As many rows as fit into one answer; the import itself is complete. */
function shown(rows: readonly RowChange[]): readonly RowChange[] {
  let bytes = 0;
  const most = rows.findIndex((row, n) => {
    bytes += Buffer.byteLength(JSON.stringify(row));
    return n >= BOUNDS.shown || bytes > MOST_SHOWN_BYTES;
  });
  return most === -1 ? rows : rows.slice(0, most);
}

const faultToWire = ({ row = 0, column = "", because }: Fault) => ({ row, column, because });

function leaseFrom({ address, mac, expires, ...options }: ForeignLease, field: string): FoundLease {
  if (!expires) throw invalid(`${field}.expires`, "field-missing");
  const optional = (name: "clientId" | "circuitId" | "remoteId") => {
    const bytes = options[name];
    if (bytes.length > MAX_OPTION) throw invalid(`${field}.${name}`, "field-too-long", { most: `${MAX_OPTION} bytes` });
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
