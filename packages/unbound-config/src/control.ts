import { connect, type Socket } from "node:net";
import { type Reason, REASONS } from "./reasons.ts";

/** unbound's remote control. One connection carries one command. */
export type Control = (command: string) => Promise<Answer>;

export type Answer =
  | { readonly is: "ok"; readonly text: string }
  /** unbound refused the command. */
  | { readonly is: "refused"; readonly because: Reason; readonly fault: string };

/** No answer at the control socket in time; unbound may or may not run. */
export class ControlAway extends Error {
  readonly code = "FL_UNBOUND_AWAY";
}

const AWAY = REASONS["unbound-away"].sentence;
const DEADLINE_MS = 10_000;
const MOST_BYTES = 1 << 20;

/**
 * Speaks the protocol of unbound-control, without TLS, on the Unix socket: `UBCT1 COMMAND\n`, then the answer until the end.
 * The daemon/remote.c of unbound 1.17 is the only specification there is.
 */
export function controlAt(path: string, deadlineMs = DEADLINE_MS): Control {
  return async (command) => {
    if (/[\r\n]/.test(command)) throw new TypeError("a command is one line");
    const text = await exchange(connect({ path }), `UBCT1 ${command}\n`, deadlineMs);
    const line = text.trimEnd();
    if (line === "") throw new ControlAway(`${AWAY}: closed without a word`);
    return line.startsWith("error") ? { is: "refused", because: "command-refused", fault: line } : { is: "ok", text };
  };
}

async function exchange(socket: Socket, request: string, deadlineMs: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let length = 0;
  const away = (fault: string, cause?: unknown): void => reject(new ControlAway(`${AWAY}: ${fault}`, { cause }));
  const timer = setTimeout(() => away(`no answer within ${deadlineMs} ms`), deadlineMs);
  socket
    .on("connect", () => socket.write(request))
    .on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MOST_BYTES) away("an answer without end");
      else chunks.push(chunk);
    })
    .on("end", () => resolve(Buffer.concat(chunks).toString("utf8")))
    .on("error", (cause) => away(cause.message, cause))
    .on("close", () => away("closed without an answer"));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
