import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, type Message } from "@firstlight/wire/tftp";
import * as fc from "fast-check";
import { fetch, lab, until } from "./lab.ts";

const SEEDS: readonly Message[] = [
  {
    is: "RRQ",
    file: "a",
    mode: "octet",
    options: new Map([
      ["blksize", "1468"],
      ["tsize", "0"],
      ["windowsize", "64"],
    ]),
  },
  { is: "RRQ", file: "../../a", mode: "netascii", options: new Map([["timeout", "255"]]) },
  { is: "WRQ", file: "a", mode: "octet", options: new Map() },
  { is: "ACK", block: 65_535 },
  { is: "DATA", block: 1, data: new Uint8Array(512) },
  { is: "OACK", options: new Map([["blksize", "8"]]) },
  { is: "ERROR", code: 8, message: "User aborted the transfer" },
];

/** Anything at all, and real messages with a few bytes changed or the end cut off. */
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 700 }),
  fc
    .tuple(
      fc.constantFrom(...SEEDS.map(encode)),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.nat(),
    )
    .map(([seed, edits, cut]) => {
      const bytes = Uint8Array.from(seed);
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      return cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
    }),
);

for (const singlePort of [false, true]) {
  test(`any bytes on any port: no crash, and the next client is served${singlePort ? ", on a single port" : ""}`, async () => {
    await using on = await lab({ singlePort, maxTransfers: 32, perClient: { perSecond: 1e6, burst: 1e6 } });
    await on.put("a", new Uint8Array(5000));
    await using attacker = await on.client("127.64.0.66");
    for (const [n, bytes] of fc.sample(hostile, { numRuns: 2000, seed: 69 }).entries()) {
      const answered = attacker.received.splice(0);
      attacker.port.send(bytes, answered.at(-1)?.from ?? on.server); // at a transfer's own port too
      attacker.port.send(bytes, on.server);
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await using client = await on.client();
    const fetched = await fetch(client, "a", { windowsize: "4" });
    assert.ok("bytes" in fetched && fetched.bytes.length === 5000);
    const text = await on.metrics.metrics();
    assert.match(
      text,
      /firstlight_tftp_ignored_total\{because="unknown opcode"\}/,
      "nonsense is counted with its reason",
    );
    const active = async () => /firstlight_tftp_active_transfers (\d+)/.exec(await on.metrics.metrics())?.[1];
    await until(async () => Number(await active()) <= 16);
  });
}
