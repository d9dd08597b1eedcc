import { isMalformed, type Malformed } from "../malformed.ts";
import { encode } from "./encode.ts";
import { EDNS_PAYLOAD_BYTES, type Message } from "./message.ts";
import { foldName, type NameText } from "./name.ts";
import { CLASSES, OPCODES, RCODES, TYPES } from "./registry.ts";

/** What a client asks. `id` is the client's to choose: it is the first line against forged answers. */
export interface Ask {
  readonly id: number;
  readonly name: NameText;
  readonly type: keyof typeof TYPES.of | number;
  readonly class?: number;
  readonly recursionDesired?: boolean;
  /** EDNS with this payload; `false` for none. Default 1232. */
  readonly payloadBytes?: number | false;
}

/** A plain query as a value: change what a test wants to be different, then `encode` it. */
export function query(ask: Ask): Message {
  const { payloadBytes = EDNS_PAYLOAD_BYTES } = ask;
  return {
    id: ask.id,
    isResponse: false,
    opcode: OPCODES.of.QUERY,
    isAuthoritative: false,
    isTruncated: false,
    recursionDesired: ask.recursionDesired ?? false,
    recursionAvailable: false,
    isAuthentic: false,
    checkingDisabled: false,
    rcode: RCODES.of.NOERROR,
    questions: [
      {
        name: ask.name,
        type: typeof ask.type === "number" ? ask.type : TYPES.of[ask.type],
        class: ask.class ?? CLASSES.of.IN,
      },
    ],
    answers: [],
    authorities: [],
    additionals: [],
    ...(payloadBytes !== false && { edns: { payloadBytes, version: 0, dnssecOk: false, options: [] } }),
  };
}

/** The query's bytes; Malformed when the name is none. */
export function encodeQuery(ask: Ask): Uint8Array | Malformed {
  return encode(query(ask));
}

/** Whether a response is to this query: id, QR, and the question without regard to case (RFC 5452 §9.1). */
export function answers(response: Message | Malformed, asked: Message): response is Message {
  if (isMalformed(response) || !response.isResponse || response.id !== asked.id) return false;
  const [theirs, ours] = [response.questions[0], asked.questions[0]];
  if (!theirs || !ours) return false;
  return foldName(theirs.name) === foldName(ours.name) && theirs.type === ours.type && theirs.class === ours.class;
}
