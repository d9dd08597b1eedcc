import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { isMalformed } from "@firstlight/wire";
import { decode, encodeQuery, RCODES } from "@firstlight/wire/dns";
import type { PinnedProcess } from "../harness/process.ts";
import type { Question } from "./content.ts";

export const PORT = 5399;

const START_MS = 60_000;

/** Waits until the server answers, then checks its answers to `sampleQuestions`. Throws where one is wrong: the speed of wrong answers means nothing. */
export async function verifyAnswers(sampleQuestions: readonly Question[], server: PinnedProcess): Promise<void> {
  const until = performance.now() + START_MS;
  while ((await rcodeOf(sampleQuestions[0]!)) !== sampleQuestions[0]!.rcode) {
    const isTooLate = performance.now() > until;
    if (isTooLate || server.child.exitCode !== null)
      throw new Error(`no answer: ${server.lines.slice(-5).join(" | ")}`);
    await sleep(25);
  }
  for (const question of sampleQuestions) {
    const rcode = await rcodeOf(question);
    if (rcode !== question.rcode) throw new Error(`${question.name} ${question.type}: ${rcode}, not ${question.rcode}`);
  }
}

/** The response code of one query; with the number of answers where that is wrong; `silence` without a response. */
async function rcodeOf({ name, type }: Question): Promise<string> {
  const query = encodeQuery({ id: 1, name, type, payloadBytes: false });
  if (isMalformed(query)) throw new Error(query.because);
  const socket = createSocket("udp4");
  try {
    socket.on("error", () => {}); // refused: the server does not listen yet
    socket.connect(PORT, "127.0.0.1");
    await once(socket, "connect");
    socket.send(query);
    const received = await Promise.race([once(socket, "message"), sleep(500)]).catch(() => undefined);
    if (received === undefined) return "silence";
    const message = decode((received as [Uint8Array])[0]);
    if (isMalformed(message)) return message.because;
    const rcode = RCODES.name(message.rcode);
    const expected = type === "AAAA" || rcode !== "NOERROR" ? 0 : 1;
    return message.answers.length === expected ? rcode : `${rcode} with ${message.answers.length} answers`;
  } finally {
    socket.close();
  }
}
