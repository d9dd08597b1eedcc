import { setTimeout as sleep } from "node:timers/promises";
import { formatIPv4, type IPv4 } from "@firstlight/wire";
import { Agent, type Dispatcher } from "undici";
import { BootFailed, type Nic } from "./nic.ts";

/** HTTP as one machine does it: every connection from its own leased address, which is all the identity it has. */
export interface Http extends AsyncDisposable {
  /** Size by HEAD, as UEFI asks before it reserves memory. */
  head(url: string): Promise<number>;
  /** Reads a file to its end and gives its size; retries what may pass. */
  get(url: string): Promise<number>;
  /** Reads a small text. */
  text(url: string): Promise<string>;
  /** Sends a form until it is taken. */
  post(url: string, fields: Readonly<Record<string, string>>): Promise<void>;
}

const TIMEOUT_MS = 30_000;
const MOST_TEXT_BYTES = 1 << 20;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
/** States of the server, not answers about the file: the next try may find another. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
const NETWORK = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
]);

export function openHttp(nic: Nic, own: IPv4, userAgent: string): Http {
  const agent = new Agent({
    localAddress: formatIPv4(own),
    connections: 1,
    pipelining: 1,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    connectTimeout: TIMEOUT_MS,
    autoSelectFamily: false,
  });

  /** Asks until the answer is not a passing one; gives a good one, or says what was wrong. */
  async function ask(method: Dispatcher.HttpMethod, url: string, body?: string): Promise<Dispatcher.ResponseData> {
    const headers = {
      "user-agent": userAgent,
      accept: "*/*",
      ...(body !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
    };
    for (let tries = 0; ; tries++) {
      const { origin, pathname, search } = urlOf(url);
      let because: string;
      let waitMs = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!;
      try {
        const response = await agent.request({
          origin,
          path: pathname + search,
          method,
          headers,
          signal: nic.signal,
          ...(body !== undefined && { body }),
        });
        if (response.statusCode >= 200 && response.statusCode < 300) return response;
        because =
          `${method} ${pathname}: ${response.statusCode} ${(await limited(response)).trim().slice(0, 200)}`.trim();
        if (!PASSING.has(response.statusCode)) throw new BootFailed(because);
        waitMs = Math.max(waitMs, Math.min(30, Number(response.headers["retry-after"]) || 0) * 1000);
      } catch (fault) {
        if (!NETWORK.has((fault as NodeJS.ErrnoException).code ?? "")) throw fault;
        because = `${method} ${pathname}: ${(fault as NodeJS.ErrnoException).code}`;
      }
      nic.record("http.retry", { because, waitMs });
      await sleep(waitMs, undefined, { signal: nic.signal });
    }
  }

  return {
    async head(url) {
      const response = await ask("HEAD", url);
      await response.body.dump();
      const bytes = Number(response.headers["content-length"]);
      if (!Number.isSafeInteger(bytes)) throw new BootFailed(`HEAD ${url}: no Content-Length`); // EDK2 gives up too
      return bytes;
    },
    async get(url) {
      let bytes = 0;
      for await (const chunk of (await ask("GET", url)).body) bytes += (chunk as Uint8Array).length;
      return bytes;
    },
    text: async (url) => limited(await ask("GET", url)),
    async post(url, fields) {
      const response = await ask("POST", url, new URLSearchParams(fields).toString());
      await response.body.dump();
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function urlOf(url: string): URL {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new BootFailed(`not a URL to boot from: ${url}`);
  return new URL(url);
}

async function limited({ body }: Dispatcher.ResponseData): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).length;
    if (bytes > MOST_TEXT_BYTES) throw new BootFailed("answer longer than a script can be");
  }
  return Buffer.concat(chunks).toString();
}
