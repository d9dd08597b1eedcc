import assert from "node:assert/strict";
import { isMalformed, parseIPv4, parseMac } from "@firstlight/wire";
import { type Message, options } from "@firstlight/wire/dhcp4";
import type { Client, Effect } from "../../src/core/dhcp.ts";

export function ip(text: string): number {
  const address = parseIPv4(text);
  assert.ok(!isMalformed(address));
  return address;
}

export function mac(text: string): number {
  const value = parseMac(text);
  assert.ok(!isMalformed(value));
  return value;
}

export const MAC = mac("02:f1:00:00:00:00");
export const SERVER = ip("127.0.0.1");
export const ADDRESS = ip("127.66.0.16");

/** What a server says to this request: the header echoed, options as given. */
export function reply(
  to: Message,
  says: Parameters<typeof options>[0],
  yiaddr = ADDRESS,
  head: Partial<Message> = {},
): Message {
  return { ...to, op: 2, yiaddr, options: options({ serverId: SERVER, leaseTime: 3600, ...says }), ...head };
}

/** The packet among the effects. */
export function sent(effects: readonly Effect[]): Message {
  const packet = effects.find((effect) => effect.do === "broadcast" || effect.do === "unicast");
  assert.ok(packet !== undefined, `nothing was sent: ${JSON.stringify(effects)}`);
  return packet.message;
}

/** The reasons among the effects: `refused: no such lease`. */
export function notes(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.do === "note" ? [`${effect.step}: ${effect.because}`] : []));
}

export const seconds = (client: Client, now: number): number => (client.wakeAt - now) / 1000;
