import assert from "node:assert/strict";
import { once } from "node:events";
import { utimesSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { lease } from "@firstlight/kit";
import { lab, NOBODY, ONE, TRACE, until } from "./lab.ts";

const PATH = `/t/${TRACE}/artefacts/discovery/kernel`;

const bare = ({ date: _date, ...headers }: Record<string, unknown>) => headers;

/** Puts an old file there, fetches it once, and gives it time to be learnt. */
async function warm(on: Awaited<ReturnType<typeof lab>>, content: Uint8Array) {
  const file = join(on.stateDir, "artefacts/discovery/kernel");
  writeFileSync(file, content);
  utimesSync(file, 1_700_000_000, 1_700_000_000);
  const first = await on.ask(PATH, { from: ONE.address });
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setTimeout(resolve, 1)); // it is learnt
  return first;
}

test("an artefact from memory is answered as from disk: bytes, headers, event, and the same no for strangers", async () => {
  for (const length of [0, 1, 5000, 3_000_000]) {
    await using on = await lab();
    const content = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
    const first = await warm(on, content);
    const again = await on.ask(PATH, { from: ONE.address });
    assert.deepEqual(bare(again.headers), bare(first.headers));
    assert.ok(again.bytes.equals(content));
    const { etag } = (await on.ask(PATH, { from: ONE.address })).headers;
    assert.equal((await on.ask(PATH, { from: ONE.address, headers: { "if-none-match": etag! } })).code, 304);
    if (length > 10) assert.equal((await on.ask(PATH, { headers: { range: "bytes=0-9" } })).bytes.length, 10);
    assert.equal((await on.ask(PATH, { from: NOBODY })).code, 403);
    assert.equal((await on.ask(PATH, { from: ONE.address, method: "HEAD" })).code, 200);
    const told = on.reporter.of("pxe.artefact").filter(({ detail }) => detail?.["bytes"] === String(length));
    assert.ok(told.length >= 2);
    for (const { mac, address, trace } of told) assert.deepEqual({ mac, address, trace }, { ...ONE, trace: TRACE });
  }
});

test("the limit of requests holds for what is in memory", async () => {
  await using on = await lab({ perClient: { perSecond: 1, burst: 4 } });
  await warm(on, new Uint8Array(100));
  const codes: number[] = [];
  for (let n = 0; n < 6; n++) codes.push((await on.ask(PATH, { from: ONE.address })).code);
  assert.deepEqual(codes, [200, 200, 200, 429, 429, 429]);
});

const GET = (path = PATH, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

/** A connection of the machine's, by hand. `heard` resolves to what came, once it holds so many whole answers or has ended. */
function talk(on: Awaited<ReturnType<typeof lab>>, from: string = ONE.address) {
  const socket = connect({ host: "127.0.0.1", port: on.port, localAddress: from, allowHalfOpen: true });
  let got = "";
  const ended = once(socket, "end");
  socket.on("data", (bytes) => (got += bytes.toString("latin1")));
  socket.on("error", () => {});
  return {
    socket,
    say: (text: string): void => void socket.write(text, "latin1"),
    async heard(answers: number): Promise<string[]> {
      while (split(got).length < answers && !socket.readableEnded) await Promise.race([once(socket, "data"), ended]);
      return split(got);
    },
    ended: () => ended,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** The whole answers in a text, each without its date. */
function split(text: string): string[] {
  const answers: string[] = [];
  for (let at = 0; ;) {
    const end = text.indexOf("\r\n\r\n", at);
    const head = text.slice(at, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (end < 0 || text.length < end + 4 + length) return answers;
    answers.push(`${head.replace(/\r\nDate: [^\r]*/, "")}\r\n\r\n${text.slice(end + 4, end + 4 + length)}`);
    at = end + 4 + length;
  }
}

const headOf = (answer: string): string[] => answer.split("\r\n\r\n")[0]!.split("\r\n").toSorted();

test("a kept connection is answered by either way with the same bytes, in the order asked, whatever is mixed in", async () => {
  await using on = await lab();
  const content = Buffer.alloc(3000, "a kernel ");
  await warm(on, content);
  using fast = talk(on);
  fast.say(GET());
  const [first] = await fast.heard(1);
  fast.say(GET());
  assert.equal((await fast.heard(2))[1], first);
  using slow = talk(on);
  slow.say(GET(PATH, "X-Other: 1\r\n")); // not plain: the HTTP server's
  const [other] = await slow.heard(1);
  assert.deepEqual(headOf(first!), headOf(other!));
  assert.equal(first!.slice(-3000), content.toString());
  fast.say(GET(PATH, "Range: bytes=0-1\r\n"));
  assert.match((await fast.heard(3))[2]!, /^HTTP\/1.1 206 [^]*\r\n\r\na $/);
  fast.say(GET());
  assert.match((await fast.heard(4))[3]!, /^HTTP\/1.1 200 OK/);
});

test("requests said all at once, cut anywhere, are all answered, in order", async () => {
  await using on = await lab();
  await warm(on, Buffer.from("a kernel"));
  const all = GET() + GET("/artefacts/missing") + GET() + GET(PATH, "Range: bytes=0-0\r\n") + GET();
  for (const cut of [1, 20, GET().length - 1, GET().length, GET().length + 10, all.length]) {
    using one = talk(on);
    one.say(GET());
    await one.heard(1);
    one.say(all.slice(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    one.say(all.slice(cut));
    const codes = (await one.heard(6)).map((answer) => answer.slice(9, 12));
    assert.deepEqual(codes, ["200", "200", "404", "200", "206", "200"], String(cut));
  }
});

test("a request that says more than once what may stand once, or hides another, is the HTTP server's to judge", async () => {
  await using on = await lab();
  await warm(on, Buffer.from("a kernel"));
  const cases: readonly [string, RegExp][] = [
    [`GET ${PATH} HTTP/1.1\r\n\r\n`, /^400/], // no Host
    [GET(PATH, "Host: y\r\n"), /^(200|400)/],
    [GET(PATH, "Content-Length: 5\r\nContent-Length: 6\r\n"), /^400/],
    [GET(PATH, "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), /^400/],
    [GET(PATH, " folded: x\r\n"), /^400/],
    [`GET ${PATH} HTTP/1.1\nHost: x\n\n`, /^(200|400)/],
    [`GET ${PATH} HTTP/3.9\r\nHost: x\r\n\r\n`, /^(400|505)/],
    [GET(`/t/${TRACE}/artefacts/../artefacts/discovery/kernel`), /^(404|400)/],
    [GET("/artefacts/.hidden"), /^404/],
    [GET("/artefacts/discovery"), /^404/],
  ];
  for (const [said, code] of cases) {
    using one = talk(on);
    one.say(said);
    const [answer] = await one.heard(1);
    assert.match(answer?.slice(9) ?? "none", code, said);
  }
});

test("a machine whose lease ends is refused on the connection that served it before", async () => {
  await using on = await lab();
  await warm(on, Buffer.from("a kernel"));
  using one = talk(on);
  one.say(GET());
  assert.match((await one.heard(1))[0]!, /^HTTP\/1.1 200/);
  on.site.source.push(lease({ ...ONE, version: 3, state: "released" }));
  await on.site.settled();
  one.say(GET());
  assert.match((await one.heard(2))[1]!, /^HTTP\/1.1 403 [^]*the address was given back/);
});

test("a connection that is asked to be the last one ends after its answer, and so does one whose machine has said all", async () => {
  await using on = await lab();
  await warm(on, Buffer.alloc(200_000, "x"));
  using one = talk(on);
  one.say(GET(PATH, "Connection: close\r\n"));
  await one.ended();
  assert.match((await one.heard(1))[0]!, /^HTTP\/1.1 200 OK[^]*Connection: close\r\n\r\nx{200000}$/);
  using two = talk(on);
  two.say(GET());
  two.socket.end();
  await two.ended();
  assert.match((await two.heard(1))[0]!, /x{200000}$/);
});

test("draining ends a connection that waits, and finishes the answer under way", async () => {
  await using on = await lab();
  await warm(on, Buffer.alloc(24 << 20));
  using idle = talk(on);
  using busy = talk(on);
  idle.say(GET("/artefacts/discovery/x86_64/vmlinuz"));
  await idle.heard(1);
  busy.say(GET());
  await new Promise((resolve) => busy.socket.once("data", resolve));
  busy.socket.pause();
  const drained = on.running.drain();
  await idle.ended();
  busy.socket.resume();
  await busy.ended();
  assert.equal((await busy.heard(1)).length, 1);
  await drained;
});

test("a machine that leaves in the middle of an artefact from memory is on its timeline with what it got", async () => {
  await using on = await lab();
  await warm(on, Buffer.alloc(64 << 20));
  using one = talk(on);
  one.say(GET());
  await new Promise((resolve) => one.socket.once("data", resolve));
  one.socket.destroy();
  await until(() => on.reporter.of("pxe.artefact").some(({ because }) => because !== undefined));
  const told = on.reporter.of("pxe.artefact").find(({ because }) => because !== undefined)!;
  assert.equal(told.because, "machine-left");
  assert.equal(told.detail!["of"], "67108864");
  assert.ok(Number(told.detail!["bytes"]) < 64 << 20);
});
