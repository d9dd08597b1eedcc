import assert from "node:assert/strict";
import { ip, read, requestsIn } from "@firstlight/kit/dhcp4";
import type { Message } from "@firstlight/wire/dhcp4";
import { type Client, clientOf } from "../src/v4/client.ts";

/** The facts of a captured packet; `nth` counts from 0. */
export function captured(name: string, nth = 0): Client {
  const { payload, src, sport } = requestsIn(name)[nth]!;
  return client(read(payload), { address: src as number, port: sport });
}

export function client(message: Message, from = { address: 0, port: 68 }, local = ip("127.64.0.1")): Client {
  const facts = clientOf(message, from, local);
  assert.ok("type" in facts, "because" in facts ? facts.because : "");
  return facts;
}
