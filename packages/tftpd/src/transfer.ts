import { DEFAULT_BLOCK_BYTES, ERRORS } from "@firstlight/wire/tftp";
import type { Agreement } from "./options.ts";

/** How long to wait for an acknowledgement, and how often to send again. */
export interface Patience {
  readonly retryMs: number;
  /** Back-off doubles the wait up to here. */
  readonly maxRetryMs: number;
  readonly retries: number;
}

/**
 * One read transfer. Blocks are counted from 1 without wrapping; only the wire sees 16 bits, so a file may be of any
 * size (the client wraps as we do: from 65535 to 0).
 */
export interface Transfer {
  /** `oack`: our options are not acknowledged yet. */
  readonly phase: "oack" | "data";
  readonly last: number;
  readonly windowBlocks: number;
  readonly acked: number;
  /** The highest block on its way. */
  readonly sent: number;
  readonly patience: Patience;
  readonly tries: number;
  readonly retryAt: number;
  readonly resent: number;
}

export type Event =
  | { readonly is: "ack"; readonly block: number }
  | { readonly is: "error"; readonly code: number }
  /** The same request came again: its first answer may be lost. */
  | { readonly is: "again" }
  /** The file could not be read on. */
  | { readonly is: "fault" }
  | { readonly is: "tick" };

export type Effect =
  | { readonly do: "oack" }
  /** Send blocks `from` to `from + count - 1`. */
  | { readonly do: "send"; readonly from: number; readonly count: number }
  | { readonly do: "error"; readonly code: number; readonly message: string }
  | { readonly do: "ignore"; readonly because: Ignored }
  | { readonly do: "end"; readonly because: Ending };

export type Ignored = "duplicate-acknowledgement" | "acknowledges-unsent" | "already-under-way";
export type Ending = "sent" | "probe" | "client-gave-up" | "no-answer" | "file-unreadable";

type Step = [Transfer, readonly Effect[]];

/** Acknowledged again within a window: its first block is lost or late. We wait this long before sending it again. */
const REORDER_MS = 30;

const SIMPLE: Agreement = { blockBytes: DEFAULT_BLOCK_BYTES, windowBlocks: 1, options: new Map() };
const PATIENT: Patience = { retryMs: 1000, maxRetryMs: 8000, retries: 5 };

/** Opens a transfer of `bytes` bytes: the OACK, or the first window where no option was agreed. */
export function start(bytes: number, now: number, agreed: Agreement = SIMPLE, patience: Patience = PATIENT): Step {
  const retryMs = agreed.timeoutMs ?? patience.retryMs; // RFC 2349 §2: the client's wish
  const transfer: Transfer = {
    phase: agreed.options.size > 0 ? "oack" : "data",
    last: Math.floor(bytes / agreed.blockBytes) + 1, // RFC 1350 §6: a block shorter than agreed ends it, if empty
    windowBlocks: agreed.windowBlocks,
    acked: 0,
    sent: 0,
    patience: { ...patience, retryMs, maxRetryMs: Math.max(retryMs, patience.maxRetryMs) },
    tries: 0,
    retryAt: now + retryMs,
    resent: 0,
  };
  return transfer.phase === "oack" ? [transfer, [{ do: "oack" }]] : sendWindow(transfer, now);
}

export function step(transfer: Transfer, event: Event, now: number): Step {
  switch (event.is) {
    case "ack":
      return transfer.phase === "oack"
        ? acknowledgedOptions(transfer, event.block, now)
        : acknowledged(transfer, event.block, now);
    case "error":
      return [transfer, [{ do: "end", because: endOf(transfer, event.code) }]];
    case "again":
      if (transfer.acked > 0 || transfer.phase === "data") return ignore(transfer, "already-under-way");
      return [transfer, outstanding(transfer)];
    case "fault":
      return [
        transfer,
        [
          { do: "error", code: ERRORS.of.undefined, message: "file could not be read" },
          { do: "end", because: "file-unreadable" },
        ],
      ];
    case "tick":
      return now < transfer.retryAt ? [transfer, []] : retry(transfer, now);
  }
}

/** RFC 2347: the client acknowledges an OACK with block 0. */
function acknowledgedOptions(transfer: Transfer, block: number, now: number): Step {
  if (block !== 0) return ignore(transfer, "acknowledges-unsent");
  return sendWindow({ ...transfer, phase: "data" }, now);
}

function acknowledged(transfer: Transfer, block: number, now: number): Step {
  const ahead = (block - transfer.acked) & 0xffff; // blocks newly acknowledged, modulo 65536
  if (ahead === 0) return duplicate(transfer, now);
  if (ahead > transfer.sent - transfer.acked) return ignore(transfer, "acknowledges-unsent");
  const acked = transfer.acked + ahead;
  if (acked === transfer.last) return [{ ...transfer, acked }, [{ do: "end", because: "sent" }]];
  return sendWindow({ ...transfer, acked }, now); // RFC 7440 §4: go on from the last in-order block
}

/**
 * RFC 1123 §4.2.3.1: a duplicate is never answered. In a window it may report that the first block is missing
 * (RFC 7440 §4), so the timer comes nearer; the true acknowledgement, if on its way, arrives before it and sets it anew.
 */
function duplicate(transfer: Transfer, now: number): Step {
  const isReport = transfer.sent - transfer.acked > 1 && transfer.tries === 0;
  const retryAt = isReport ? Math.min(transfer.retryAt, now + REORDER_MS) : transfer.retryAt;
  return ignore({ ...transfer, retryAt }, "duplicate-acknowledgement");
}

function sendWindow(transfer: Transfer, now: number): Step {
  const sent = Math.min(transfer.acked + transfer.windowBlocks, transfer.last);
  const next = { ...transfer, sent, tries: 0, retryAt: now + transfer.patience.retryMs };
  return [next, outstanding(next)];
}

function outstanding({ phase, acked, sent }: Transfer): readonly Effect[] {
  return phase === "oack" ? [{ do: "oack" }] : [{ do: "send", from: acked + 1, count: sent - acked }];
}

function retry(transfer: Transfer, now: number): Step {
  const { retryMs, maxRetryMs, retries } = transfer.patience;
  const tries = transfer.tries + 1;
  if (tries > retries) return [transfer, [{ do: "end", because: "no-answer" }]];
  const waitMs = Math.min(retryMs * 2 ** tries, maxRetryMs);
  return [{ ...transfer, tries, resent: transfer.resent + 1, retryAt: now + waitMs }, outstanding(transfer)];
}

/** EDK2 asks for the size, reads the OACK and ends with error 8: the transfer it wants is the next one. */
function endOf(transfer: Transfer, code: number): Ending {
  return transfer.phase === "oack" && code === ERRORS.of.optionsRefused ? "probe" : "client-gave-up";
}

function ignore(transfer: Transfer, because: Ignored): Step {
  return [transfer, [{ do: "ignore", because }]];
}
