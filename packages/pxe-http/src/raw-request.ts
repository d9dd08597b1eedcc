/** A request for a whole artefact in the one form that boot loaders and installers send. */
export interface RawRequest {
  readonly path: string;
  readonly trace: string | undefined;
  /** The machine asks that the connection end with this answer. */
  readonly isLast: boolean;
}

/** A boot loader's request has two hundred bytes. */
const MOST_BYTES = 4096;
/** RFC 9112 §3 and §5, without what may be obsolete, folded or empty: an empty line ends it, so nothing follows. */
const REQUEST =
  /^GET (?:\/t\/([0-9a-f]{32}))?\/artefacts\/([\w.+@=~/-]{1,255}) HTTP\/1\.1\r\n((?:[A-Za-z-]{1,40}:[\t -~]{1,1024}\r\n){1,32})\r\n$/;

/** Header fields that change nothing in a whole answer, and the values they may have. Any other field is not plain. */
const FIELDS: Readonly<Record<string, RegExp>> = {
  host: /\S/,
  "user-agent": /^/,
  accept: /^/,
  "accept-encoding": /^/,
  "accept-language": /^/,
  "cache-control": /^/,
  pragma: /^/,
  connection: /^(?:keep-alive|close)$/i,
};

/**
 * Reads what came on a connection, if it is exactly one such request and nothing else: no body, no condition, no range,
 * no repeated field that must be unique. Anything else gives `undefined`: node's HTTP parser decides about it.
 */
export function readRawRequest(bytes: Buffer): RawRequest | undefined {
  if (bytes.length > MOST_BYTES) return undefined;
  const match = REQUEST.exec(bytes.toString("latin1"));
  if (match === null) return undefined;
  const fields = match[3]!;
  let [hosts, connection] = [0, ""];
  for (let at = 0; at < fields.length;) {
    const colon = fields.indexOf(":", at);
    const end = fields.indexOf("\r\n", colon);
    const name = fields.slice(at, colon).toLowerCase();
    const value = fields.slice(colon + 1, end).trim();
    if (!Object.hasOwn(FIELDS, name) || !FIELDS[name]!.test(value)) return undefined;
    if (name === "host") hosts++;
    if (name === "connection") connection += value.toLowerCase(); // twice: neither word
    at = end + 2;
  }
  if (hosts !== 1) return undefined; // RFC 9112 §3.2
  if (connection !== "" && connection !== "close" && connection !== "keep-alive") return undefined;
  return { path: match[2]!, trace: match[1], isLast: connection === "close" };
}
