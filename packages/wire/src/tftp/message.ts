import { registry } from "../registry.ts";

/** A TFTP message, RFC 1350 §5 with options by RFC 2347. Blocks are 16-bit on the wire; who counts further wraps. */
export type Message = Request | Data | Ack | Fault | OptionAck;

/** RRQ or WRQ: what a client opens with. */
export interface Request {
  readonly is: "RRQ" | "WRQ";
  /** As sent, byte for character: the server normalises it, the codec does not. */
  readonly file: string;
  /** Lower-case: `octet`, `netascii`, `mail`. */
  readonly mode: string;
  readonly options: Options;
}

export interface Data {
  readonly is: "DATA";
  readonly block: number;
  /** A view into the datagram when decoded. */
  readonly data: Uint8Array;
}

export interface Ack {
  readonly is: "ACK";
  readonly block: number;
}

export interface Fault {
  readonly is: "ERROR";
  readonly code: number;
  readonly message: string;
}

export interface OptionAck {
  readonly is: "OACK";
  readonly options: Options;
}

/** Options in the order sent, names lower-case (RFC 2347: case-insensitive); of a repeated one the first counts. */
export type Options = ReadonlyMap<string, string>;

/** RFC 1350 §5, OACK by RFC 2347. */
export const OPCODES = registry("OPCODE", { RRQ: 1, WRQ: 2, DATA: 3, ACK: 4, ERROR: 5, OACK: 6 });

/** Error codes: RFC 1350 appendix, 8 by RFC 2347. EDK2 also ends its size probe with 8. */
export const ERRORS = registry("ERROR", {
  undefined: 0,
  notFound: 1,
  accessViolation: 2,
  diskFull: 3,
  illegalOperation: 4,
  unknownTransfer: 5,
  fileExists: 6,
  noSuchUser: 7,
  optionsRefused: 8,
});

export const SERVER_PORT = 69;
/** RFC 2347: a request never exceeds 512 bytes. */
export const MAX_REQUEST_BYTES = 512;
/** Opcode and block number before the bytes of a DATA. */
export const HEADER_BYTES = 4;
/** Block size without the option, RFC 1350 §2. */
export const DEFAULT_BLOCK_BYTES = 512;
