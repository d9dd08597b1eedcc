import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { isMalformed } from "@firstlight/wire";
import { decode, encodeQuery, RCODES } from "@firstlight/wire/dns";
import type { Pinned } from "../harness/process.ts";
import type { Question } from "./content.ts";

export const PORT = 5399;

/** Waits until the server answers, then holds it to what everybody must say: else its speed means nothing. */
export async function answersRightly(asked: readonly Question[], server: Pinned): Promise<void> {
  const until = performance.now() + START_MS;
  while ((await rcodeOf(asked[0]!)) !== asked[0]!.rcode) {
    const isLate = performance.now() > until;
    if (isLate || server.child.exitCode !== null) throw new Error(`no answer: ${server.lines.slice(-5).join(" | ")}`);
    await sleep(25);
  }
  for (const question of asked) {
    const said = await rcodeOf(question);
    if (said !== question.rcode) throw new Error(`${question.name} ${question.type}: ${said}, not ${question.rcode}`);
  }
}

const START_MS = 60_000;

/** NOERROR also wants its answer where the type is held. */
async function rcodeOf({ name, type }: Question): Promise<string> {
  const query = encodeQuery({ id: 1, name, type, payloadBytes: false });
  if (isMalformed(query)) throw new Error(query.because);
  const socket = createSocket("udp4");
  try {
    socket.on("error", () => {}); // refused: not there yet
    socket.connect(PORT, "127.0.0.1");
    await once(socket, "connect");
    socket.send(query);
    const got = await Promise.race([once(socket, "message"), sleep(500)]).catch(() => undefined);
    if (got === undefined) return "silence";
    const message = decode((got as [Uint8Array])[0]);
    if (isMalformed(message)) return message.because;
    const rcode = RCODES.name(message.rcode);
    const wanted = type === "AAAA" || rcode !== "NOERROR" ? 0 : 1;
    return message.answers.length === wanted ? rcode : `${rcode} with ${message.answers.length} answers`;
  } finally {
    socket.close();
  }
}
