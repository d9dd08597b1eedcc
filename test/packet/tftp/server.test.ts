import assert from "node:assert/strict";
import { test } from "node:test";
import { LAB } from "@firstlight/kit";
import type { Message } from "@firstlight/wire/tftp";
import { fetch, lab, LEASED, type Fetched, until } from "./lab.ts";
import { REASONS } from "@firstlight/tftpd/reasons";

/** Bytes of which no two blocks are alike. */
const content = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
const TRACE = "0123456789abcdef0123456789abcdef";

function got(result: Awaited<ReturnType<typeof fetch>>): Fetched {
  assert.ok("bytes" in result, JSON.stringify(result));
  return result;
}

for (const age of ["old", undefined] as const) {
  const where = age === "old" ? "from memory" : "from disk";
  test(`files of every awkward length arrive whole, with and without options, ${where}`, async () => {
    await using on = await lab();
    for (const length of [0, 1, 511, 512, 513, 1468, 100_000]) {
      await on.put("file", content(length), age);
      for (const asked of [{}, { blksize: "1468", windowsize: "8", tsize: "0" }]) {
        await using client = await on.client();
        const { bytes, options } = got(await fetch(client, "file", asked));
        assert.deepEqual(Buffer.from(bytes), Buffer.from(content(length)));
        assert.equal(options.get("tsize"), "tsize" in asked ? String(length) : undefined);
      }
    }
  });
}

test("a boot's fetch is told with the machine's MAC and the trace of its name", async () => {
  await using on = await lab();
  await on.put("snponly.efi", content(3000));
  await using client = await on.client(LEASED);
  const { bytes } = got(await fetch(client, `/t/${TRACE}/snponly.efi`, { blksize: "1468", windowsize: "4" }));
  assert.equal(bytes.length, 3000);
  await until(() => on.reporter.of("tftp.end").length === 1);
  const [start, end] = [on.reporter.of("tftp.start")[0], on.reporter.of("tftp.end")[0]];
  const common = { mac: LAB.mac, address: LEASED, trace: TRACE };
  assert.ok(start!.at! <= end!.at! && end!.at! <= Date.now());
  assert.deepEqual(
    { ...start, at: 0 },
    {
      at: 0,
      kind: "tftp.start",
      ...common,
      detail: { file: "snponly.efi", bytes: "3000", blksize: "1468", windowsize: "4" },
    },
  );
  assert.deepEqual(
    { ...end, at: 0, detail: { ...end?.detail, ms: "" } },
    {
      at: 0,
      kind: "tftp.end",
      ...common,
      because: "sent",
      detail: { file: "snponly.efi", bytes: "3000", resent: "0", ms: "" },
    },
  );
});

/** OVMF's two requests for one file, byte for byte from a capture. */
const OVMF = {
  probe:
    "0001736e706f6e6c792e656669006f63746574007473697a6500300062 6c6b73697a65003134363800 77696e646f7773697a65003400",
  read: "0001736e706f6e6c792e656669006f6374657400 626c6b73697a65003134363800 77696e646f7773697a65003400",
} as const;
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const ERROR = (code: number, message: string) => ({ is: "ERROR", code, message }) as const;

test("OVMF probes the size, aborts with error 8, then reads: no failure is told", async () => {
  await using on = await lab();
  await on.put("snponly.efi", content(173_792));
  await using client = await on.client(LEASED);
  client.port.send(hex(OVMF.probe), on.server);
  const probe = await client.next();
  const granted = { tsize: "173792", blksize: "1468", windowsize: "4" };
  assert.deepEqual(probe.message, { is: "OACK", options: new Map(Object.entries(granted)) });
  client.send(ERROR(8, "User aborted the transfer"), probe.from);
  await until(() => on.reporter.of("tftp.end").length === 1);
  client.port.send(hex(OVMF.read), on.server);
  const { message, from } = await client.next();
  assert.deepEqual(message, {
    is: "OACK",
    options: new Map([
      ["blksize", "1468"],
      ["windowsize", "4"],
    ]),
  });
  for (let block = 0; block < Math.ceil(173_792 / 1468); block += 4) {
    client.send({ is: "ACK", block }, from);
    for (let n = 1; n <= 4 && block + n <= 119; n++) {
      const data = (await client.next()).message;
      assert.ok(data.is === "DATA" && data.block === block + n);
    }
  }
  client.send({ is: "ACK", block: 119 }, from);
  await until(() => on.reporter.of("tftp.end").length === 2);
  assert.deepEqual(
    on.reporter.of("tftp.end").map(({ because }) => because),
    ["probe", "sent"],
  );
  assert.deepEqual(on.reporter.of("tftp.refused"), []);
});

test("every refusal has its error code, its reason and its place in the machine's record", async () => {
  await using on = await lab();
  await on.put("a", content(10));
  await using client = await on.client(LEASED);
  const refusals = [
    ["autoexec.ipxe", "octet", 1, "no-such-file"],
    ["../a", "octet", 2, "name-leaves-root"],
    ["a\\b", "octet", 2, "name-forbidden-characters"],
    ["a", "mail", 4, "mode-unknown"],
  ] as const;
  for (const [file, mode, code, because] of refusals) {
    assert.deepEqual(await fetch(client, file, {}, { mode }), ERROR(code, REASONS[because].sentence));
  }
  client.send({ is: "WRQ", file: "a", mode: "octet", options: new Map() });
  assert.deepEqual((await client.next()).message, ERROR(2, "server is read-only"));
  const told = on.reporter.of("tftp.refused");
  assert.deepEqual(
    told.map(({ because }) => because),
    [...refusals.map(([, , , because]) => because), "read-only"],
  );
  assert.ok(told.every(({ mac }) => mac === LAB.mac));
  assert.match(await on.metrics.metrics(), /firstlight_tftp_refusals_total\{because="no-such-file"\} 1/);
});

test("each transfer has a port of its own; a stranger there gets error 5 and disturbs nothing", async () => {
  await using on = await lab();
  await on.put("a", content(1000));
  await using client = await on.client();
  await using stranger = await on.client("127.64.0.66");
  client.ask("a");
  const first = await client.next();
  assert.notEqual(first.from.port, on.server.port);
  stranger.send({ is: "ACK", block: 1 }, first.from);
  assert.deepEqual((await stranger.next()).message, ERROR(5, "unknown transfer"));
  stranger.send(ERROR(0, "stop it"), first.from); // never answered, and not believed
  client.send({ is: "ACK", block: 1 }, first.from);
  const second = await client.next();
  assert.ok(second.message.is === "DATA" && second.message.block === 2 && second.message.data.length === 488);
  client.send({ is: "ACK", block: 2 }, first.from);
  await until(() => on.reporter.of("tftp.end")[0]?.because === "sent");
  assert.deepEqual(stranger.received, []);
});

test("with singlePort everything leaves from the listening port, to many clients at a time", async () => {
  await using on = await lab({ singlePort: true });
  await on.put("a", content(50_000), "old");
  const fetches = Array.from({ length: 8 }, async (_, n) => {
    await using client = await on.client(`127.64.1.${n + 1}`);
    const { bytes, from } = got(await fetch(client, "a", { blksize: "1024", windowsize: "4" }));
    assert.deepEqual([bytes.length, from.port], [50_000, on.server.port]);
  });
  await Promise.all(fetches);
  await using late = await on.client();
  late.send({ is: "ACK", block: 7 });
  assert.deepEqual((await late.next()).message, ERROR(5, "unknown transfer"));
});

for (const age of ["old", undefined] as const) {
  test(`over a network that loses every fifth datagram the file still arrives, ${age ? "from memory" : "from disk"}`, async () => {
    await using on = await lab({ retryMs: 10, maxRetryMs: 40, retries: 20 });
    await on.put("a", content(60_000), age);
    await using client = await on.client();
    const { bytes } = got(
      await fetch(client, "a", { blksize: "1024", windowsize: "8" }, { isLost: (n) => n % 5 === 4 }),
    );
    assert.deepEqual(Buffer.from(bytes), Buffer.from(content(60_000)));
  });
}

test("more blocks than sixteen bits count arrive whole", async () => {
  await using on = await lab({ windowsize: 64 });
  const file = content(66_000 * 8 + 3);
  await on.put("a", file, "old");
  await using client = await on.client();
  const { bytes } = got(await fetch(client, "a", { blksize: "8", windowsize: "64" }));
  assert.ok(Buffer.from(file).equals(bytes));
});

test("netascii is converted, and its size is the converted one", async () => {
  await using on = await lab();
  await on.put("menu", Buffer.from("one\ntwo\n"));
  await using client = await on.client();
  const { bytes, options } = got(await fetch(client, "menu", { tsize: "0" }, { mode: "netascii" }));
  assert.deepEqual([Buffer.from(bytes).toString(), options.get("tsize")], ["one\r\ntwo\r\n", "10"]);
});

test("a repeated request repeats the OACK of the same transfer; another request of the same port begins anew", async () => {
  await using on = await lab();
  await on.put("a", content(5000));
  await using client = await on.client();
  client.ask("a", { blksize: "1024" });
  const first = await client.next();
  client.ask("a", { blksize: "1024" });
  assert.deepEqual(await client.next(), first);
  client.ask("a", { blksize: "512" });
  const anew = await client.next();
  assert.notEqual(anew.from.port, first.from.port);
  await until(() => on.reporter.of("tftp.end")[0]?.because === "client-asked-anew");
  client.send({ is: "ACK", block: 0 }, first.from); // late, to the port of the transfer that was: it moves nothing
  client.send({ is: "ACK", block: 0 }, anew.from);
  assert.deepEqual((await client.next()).from, anew.from);
});

test("a client that is gone is given up after its retries", async () => {
  await using on = await lab({ retryMs: 10, maxRetryMs: 10, retries: 2 });
  await on.put("a", content(5000));
  await using client = await on.client(LEASED);
  client.ask("a");
  await until(() => on.reporter.of("tftp.end").length === 1);
  const { because, detail } = on.reporter.of("tftp.end")[0]!;
  assert.deepEqual([because, detail?.["bytes"], detail?.["resent"]], ["no-answer", "0", "2"]);
});

test("one address cannot take all places, and places of clients that never answered go to those who ask", async () => {
  await using on = await lab({ maxTransfers: 4, maxTransfersPerClient: 2 });
  await on.put("a", content(5000));
  await using greedy = await on.client(LEASED);
  await using another = await on.client(LEASED);
  await using third = await on.client(LEASED);
  greedy.ask("a");
  another.ask("a");
  await Promise.all([greedy.next(), another.next()]);
  third.ask("a");
  await until(() => on.reporter.of("tftp.refused")[0]?.because === "transfers-per-client-limit");
  for (let n = 1; n <= 4; n++) {
    await using client = await on.client(`127.64.2.${n}`);
    assert.equal(got(await fetch(client, "a")).bytes.length, 5000);
    client.ask("a"); // and stays, unproven
    await client.next();
  }
  assert.ok(on.reporter.of("tftp.end").some(({ because }) => because === "crowded-out"));
});

test("a flood of requests from one address is not answered beyond its rate, and another is served", async () => {
  await using on = await lab({ perClient: { perSecond: 0.001, burst: 3 } });
  await on.put("a", content(100));
  await using flood = await on.client("127.64.0.66");
  for (let n = 0; n < 200; n++) flood.ask(`nothing-${n}`);
  await using client = await on.client();
  assert.equal(got(await fetch(client, "a")).bytes.length, 100);
  await until(async () => /because="requests-per-client-limit"\} 197/.test(await on.metrics.metrics()));
  assert.deepEqual((await flood.next()).message, ERROR(1, "no such file"));
  assert.ok(flood.received.length <= 2); // of three; one that was asked anew while its file was opened has no answer
  assert.ok(on.reporter.of("tftp.refused").length <= 100, "strangers are told of at a bounded rate");
});

test("draining finishes what is under way and takes nothing new; stopping says so to who is left", async () => {
  await using on = await lab();
  await on.put("a", content(600));
  await using client = await on.client();
  await using late = await on.client(LEASED);
  client.ask("a");
  const { from } = await client.next();
  const drained = on.running.drain();
  late.ask("a");
  await until(() => on.reporter.of("tftp.refused")[0]?.because === "draining");
  client.send({ is: "ACK", block: 1 }, from);
  await client.next();
  client.send({ is: "ACK", block: 2 }, from);
  await drained;
  await using other = await lab();
  await other.put("a", content(600));
  await using left = await other.client();
  left.ask("a");
  await left.next();
  await other.running.stop();
  assert.deepEqual((await left.next()).message, ERROR(0, "server stops"));
});

test("a file cut short under a reader ends its transfer with an error, not with a short file", async () => {
  await using on = await lab();
  await on.put("a", content(300_000));
  await using client = await on.client(LEASED);
  client.ask("a", { blksize: "1468" });
  const { from } = await client.next();
  await on.put("a", content(100));
  let got: Message = { is: "ACK", block: 0 };
  for (let block = 0; block < 100 && got.is !== "ERROR"; block++) {
    client.send({ is: "ACK", block }, from);
    got = (await client.next()).message;
  }
  assert.deepEqual(got, ERROR(0, "file could not be read"));
  await until(() => on.reporter.of("tftp.end")[0]?.because === "file-unreadable");
});
