import { type Data, DEFAULT_BLOCK_BYTES, ERRORS, type Message, type OptionAck } from "@firstlight/wire/tftp";

/** A TFTP read as a client runs it: RFC 1350, 2347–2349, 7440. `wakeAt` is when it wants a `tick`. */
export interface Download {
  readonly file: string;
  readonly asked: ReadonlyMap<string, string>;
  /** EDK2 first asks for the size alone and ends that transfer with ERROR 8: normal, not a fault. */
  readonly isProbe: boolean;
  readonly blockBytes: number;
  readonly window: number;
  /** Last block received in order, without wrapping. */
  readonly block: number;
  /** Last block acknowledged: the window opens behind it. */
  readonly acked: number;
  readonly bytes: number;
  readonly size?: number;
  /** What to send again, and how often it has been. */
  readonly last: Message;
  readonly tries: number;
  readonly wakeAt: number;
}

export type Event = { readonly is: "message"; readonly message: Message } | { readonly is: "tick" };

export type Effect =
  /** To the server's port 69 until it has answered, then to the port it answered from. */
  | { readonly do: "send"; readonly message: Message }
  | { readonly do: "data"; readonly data: Uint8Array }
  | { readonly do: "done"; readonly bytes: number }
  | { readonly do: "fail"; readonly because: string };

const TRY_MS = 1000;
const MOST_TRIES = 6;

type Step = [Download, Effect[]];

export interface Wanted {
  readonly tsize?: boolean;
  readonly blksize?: number;
  readonly windowsize?: number;
}

export function start(file: string, wanted: Wanted, isProbe: boolean, now: number): Step {
  const asked = new Map<string, string>(); // in EDK2's order
  if (wanted.tsize) asked.set("tsize", "0");
  if (wanted.blksize !== undefined) asked.set("blksize", String(wanted.blksize));
  if (wanted.windowsize !== undefined) asked.set("windowsize", String(wanted.windowsize));
  const request: Message = { is: "RRQ", file, mode: "octet", options: asked };
  const fresh = { file, asked, isProbe, blockBytes: DEFAULT_BLOCK_BYTES, window: 1, block: 0, acked: 0, bytes: 0 };
  return [{ ...fresh, last: request, tries: 1, wakeAt: now + TRY_MS }, [{ do: "send", message: request }]];
}

export function step(download: Download, event: Event, now: number): Step {
  if (event.is === "tick") return tick(download, now);
  const { message } = event;
  switch (message.is) {
    case "OACK":
      return download.block === 0 ? accept(download, message, now) : [download, []]; // a late duplicate
    case "DATA":
      return take(download, message, now);
    case "ERROR":
      return [
        download,
        [{ do: "fail", because: `server says: ${ERRORS.name(message.code)} ${message.message}`.trim() }],
      ];
    default:
      return abort(download, ERRORS.of.illegalOperation, `a server does not send ${message.is}`);
  }
}

function tick(download: Download, now: number): Step {
  if (now < download.wakeAt) return [download, []];
  if (download.tries >= MOST_TRIES) {
    return [download, [{ do: "fail", because: `no answer to ${download.last.is} after ${download.tries} tries` }]];
  }
  const again = { ...download, tries: download.tries + 1, wakeAt: now + TRY_MS * 2 ** Math.min(download.tries, 3) };
  return [again, [{ do: "send", message: download.last }]];
}

/** RFC 2347: only what was asked may come back, and blksize and windowsize may only shrink. */
function accept(download: Download, { options }: OptionAck, now: number): Step {
  for (const name of options.keys()) {
    if (!download.asked.has(name))
      return abort(download, ERRORS.of.optionsRefused, `server acknowledges ${name}, which nobody asked`);
  }
  const blockBytes = acceptedOption(options, "blksize", download, DEFAULT_BLOCK_BYTES);
  const window = acceptedOption(options, "windowsize", download, 1);
  const size = options.has("tsize") ? Number(options.get("tsize")) : undefined;
  if (blockBytes === undefined || window === undefined || Number.isNaN(size)) {
    return abort(download, ERRORS.of.optionsRefused, "server acknowledges a value out of range");
  }
  if (download.isProbe) {
    const message: Message = { is: "ERROR", code: ERRORS.of.optionsRefused, message: "User aborted the transfer" };
    return [
      download,
      [
        { do: "send", message },
        { do: "done", bytes: size ?? 0 },
      ],
    ];
  }
  const agreed: Download = { ...download, blockBytes, window, ...(size !== undefined && { size }) };
  return acknowledge(agreed, now);
}

function acceptedOption(
  options: ReadonlyMap<string, string>,
  name: string,
  { asked }: Download,
  absent: number,
): number | undefined {
  const text = options.get(name);
  if (text === undefined) return absent;
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= Number(asked.get(name)) ? value : undefined;
}

function take(download: Download, { block, data }: Data, now: number): Step {
  const next = download.block + 1;
  if (block !== (next & 0xffff)) {
    // RFC 7440 §4: a gap is answered with the last block in order, once; all else is left to the timer
    const isGap = ((block - next) & 0xffff) < 0x8000 && download.acked !== download.block;
    return isGap ? acknowledge(download, now) : [download, []];
  }
  if (data.length > download.blockBytes)
    return abort(download, ERRORS.of.illegalOperation, "a block longer than agreed");
  const taken: Download = { ...download, block: next, bytes: download.bytes + data.length };
  const effects: Effect[] = [{ do: "data", data }];
  const isLast = data.length < download.blockBytes;
  if (!isLast && next - download.acked < download.window)
    return [{ ...taken, tries: 1, wakeAt: now + TRY_MS, last: ack(next) }, effects];
  const [acknowledged, sent] = acknowledge(taken, now);
  effects.push(...sent);
  if (isLast) effects.push(ending(taken));
  return [acknowledged, effects];
}

function ending({ bytes, size }: Download): Effect {
  if (size === undefined || size === bytes) return { do: "done", bytes };
  return { do: "fail", because: `server announced ${size} bytes and sent ${bytes}` };
}

const ack = (block: number): Message => ({ is: "ACK", block: block & 0xffff });

function acknowledge(download: Download, now: number): Step {
  const message = ack(download.block);
  return [
    { ...download, acked: download.block, last: message, tries: 1, wakeAt: now + TRY_MS },
    [{ do: "send", message }],
  ];
}

function abort(download: Download, code: number, because: string): Step {
  return [
    download,
    [
      { do: "send", message: { is: "ERROR", code, message: because } },
      { do: "fail", because },
    ],
  ];
}
