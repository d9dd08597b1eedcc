import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as law, constantFrom, integer, property } from "fast-check";
import type { Message } from "@firstlight/wire/tftp";
import { type Download, type Effect, start, step } from "../../src/core/tftp.ts";

const EDK2 = { blksize: 1468, windowsize: 4 };
const hear = (download: Download, message: Message, now = 0) => step(download, { is: "message", message }, now);
const oack = (entries: Record<string, string>): Message => ({ is: "OACK", options: new Map(Object.entries(entries)) });
const data = (block: number, bytes: number): Message => ({ is: "DATA", block, data: new Uint8Array(bytes) });
const ack = (block: number): Effect => ({ do: "send", message: { is: "ACK", block } });
const withoutData = (effects: readonly Effect[]) => effects.filter((effect) => effect.do !== "data");

test("EDK2's probe asks for the size and ends with ERROR 8: that is success", () => {
  const [download, effects] = start("snponly.efi", { tsize: true, ...EDK2 }, true, 0);
  const asked = new Map([
    ["tsize", "0"],
    ["blksize", "1468"],
    ["windowsize", "4"],
  ]);
  assert.deepEqual(effects, [
    { do: "send", message: { is: "RRQ", file: "snponly.efi", mode: "octet", options: asked } },
  ]);
  const [, end] = hear(download, oack({ tsize: "184320", blksize: "1468", windowsize: "4" }));
  assert.deepEqual(end, [
    { do: "send", message: { is: "ERROR", code: 8, message: "User aborted the transfer" } },
    { do: "done", bytes: 184_320 },
  ]);
});

test("a windowed read acknowledges every fourth block and the last", () => {
  let [download, effects] = start("f", EDK2, false, 0);
  [download, effects] = hear(download, oack({ blksize: "1468", windowsize: "4" }));
  assert.deepEqual(effects, [ack(0)]);
  const answers: Effect[] = [];
  for (let block = 1; block <= 5; block++) {
    [download, effects] = hear(download, data(block, 1468));
    answers.push(...withoutData(effects));
  }
  [download, effects] = hear(download, data(6, 10));
  answers.push(...withoutData(effects));
  assert.deepEqual(answers, [ack(4), ack(6), { do: "done", bytes: 5 * 1468 + 10 }]);
});

test("a server that ignores options is read in blocks of 512, one by one", () => {
  let [download, effects] = start("f", EDK2, false, 0);
  [download, effects] = hear(download, data(1, 512));
  assert.deepEqual(withoutData(effects), [ack(1)]);
  [download, effects] = hear(download, data(2, 0));
  assert.deepEqual(withoutData(effects), [ack(2), { do: "done", bytes: 512 }]);
});

test("a block lost in a window is asked for again with the last one in order, once", () => {
  let [download] = start("f", EDK2, false, 0);
  [download] = hear(download, oack({ blksize: "1468", windowsize: "4" }));
  [download] = hear(download, data(1, 1468));
  let effects: Effect[];
  [download, effects] = hear(download, data(3, 1468));
  assert.deepEqual(effects, [ack(1)], "RFC 7440 §4");
  [download, effects] = hear(download, data(4, 1468));
  assert.deepEqual(effects, [], "once");
  [download, effects] = hear(download, data(1, 1468));
  assert.deepEqual(effects, [], "RFC 1123 §4.2.3.1: never answer a duplicate");
  [, effects] = hear(download, data(2, 1468));
  assert.equal(effects[0]?.do, "data");
});

test("silence is answered with the last packet again, later and later, and given up after six tries", () => {
  let [download, effects] = start("f", EDK2, false, 0);
  const [request] = effects;
  const waits: number[] = [];
  let now = 0;
  for (;;) {
    waits.push(download.wakeAt - now);
    now = download.wakeAt;
    assert.deepEqual(step(download, { is: "tick" }, now - 1)[1], []);
    [download, effects] = step(download, { is: "tick" }, now);
    if (effects[0]?.do === "fail") break;
    assert.deepEqual(effects, [request]);
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 8000, 8000]);
  assert.deepEqual(effects, [{ do: "fail", because: "no answer to RRQ after 6 tries" }]);
});

test("block numbers wrap at 65536 and the count does not", () => {
  const [fresh] = start("f", { blksize: 8 }, false, 0);
  let [download] = hear(fresh, oack({ blksize: "8" }));
  let effects: Effect[] = [];
  for (let block = 1; block <= 65_540; block++)
    [download, effects] = hear(download, data(block & 0xffff, block < 65_540 ? 8 : 3));
  assert.deepEqual(withoutData(effects), [ack(4), { do: "done", bytes: 65_539 * 8 + 3 }]);
});

const FAULTS: readonly [string, Message, RegExp][] = [
  [
    "an error of the server",
    { is: "ERROR", code: 1, message: "File not found" },
    /^server says: notFound File not found$/,
  ],
  ["an option nobody asked", oack({ blksize: "1468", timeout: "3" }), /acknowledges timeout, which nobody asked/],
  ["a block size grown", oack({ blksize: "1469" }), /out of range/],
  ["a window of zero", oack({ windowsize: "0" }), /out of range/],
  ["a size that is no number", oack({ blksize: "1468", tsize: "many" }), /nobody asked/],
  ["a request", { is: "RRQ", file: "f", mode: "octet", options: new Map() }, /does not send RRQ/],
  ["a block longer than agreed", data(1, 513), /longer than agreed/],
];

for (const [name, message, because] of FAULTS) {
  test(`${name} ends the transfer with its reason`, () => {
    const [download] = start("f", EDK2, false, 0);
    const [, effects] = hear(download, message);
    const end = effects.at(-1);
    assert.ok(end?.do === "fail");
    assert.match(end.because, because);
  });
}

test("a file shorter than the server announced is a failure", () => {
  const [asking] = start("f", { tsize: true, ...EDK2 }, false, 0);
  const [download] = hear(asking, oack({ tsize: "100", blksize: "1468" }));
  assert.deepEqual(withoutData(hear(download, data(1, 99))[1]), [
    ack(1),
    { do: "fail", because: "server announced 100 bytes and sent 99" },
  ]);
});

test("whatever is lost, doubled or late, what ends well is the whole file in order", () => {
  const fate = constantFrom("arrives", "is lost", "doubles");
  law(
    property(array(fate, { minLength: 1, maxLength: 60 }), integer({ min: 0, max: 40 }), (fates, blocks) => {
      const file = Uint8Array.from({ length: blocks * 8 + 3 }, (_, i) => i);
      const read: number[] = [];
      let nth = 0;
      let now = 0;
      let [download, effects] = start("f", { blksize: 8, windowsize: 4 }, false, now);
      let acked = -1; // the server's view: go back to what was last acknowledged; ACK 0 is the OACK's
      let isOver = false;
      const arrive = (message: Message): void => {
        const happens = fates[nth++ % fates.length];
        for (let copies = happens === "is lost" ? 0 : happens === "doubles" ? 2 : 1; copies > 0; copies--) {
          if (isOver) return;
          [download, effects] = hear(download, message, now);
          for (const effect of effects) {
            if (effect.do === "data") read.push(...effect.data);
            if (effect.do === "send" && effect.message.is === "ACK") acked = Math.max(acked, effect.message.block);
            if (effect.do === "done" || effect.do === "fail") isOver = true;
          }
        }
      };
      for (let round = 0; round < 400; round++) {
        if (isOver) break;
        if (acked < 0) arrive(oack({ blksize: "8", windowsize: "4" }));
        const from = acked;
        for (const block of [1, 2, 3, 4].map((ahead) => from + ahead)) {
          if (from >= 0 && block <= blocks + 1)
            arrive({ is: "DATA", block, data: file.subarray((block - 1) * 8, block * 8) });
        }
        now += 1;
      }
      assert.deepEqual(read, [...file].slice(0, read.length));
      if (isOver) assert.equal(read.length, file.length);
      assert.equal(isOver || fates.includes("is lost"), true, "without loss it ends");
    }),
    { numRuns: 100 },
  );
});
