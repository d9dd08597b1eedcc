/** dhcpd whose line to the database is cut in the middle of a promise: nobody hears of what is not known. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { CUTS, type Cut, cuttingProxy } from "@firstlight/kit";
import { testDatabase } from "@firstlight/kit/postgres";
import { parseMac, assertParsed } from "@firstlight/wire";
import { get } from "@firstlight/wire/dhcp4";
import { packet } from "@firstlight/kit/dhcp4";
import { realLab, until } from "./postgres.ts";
import { dora, selecting } from "./lab.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const { url } = parts.use(await testDatabase());
const line = parts.use(await cuttingProxy(url));
const { replica, reporter, relay, near } = parts.use(await realLab(url, { writes: line.url }));

const macOf = (n: number): string => `02:ee:00:00:00:${n.toString(16).padStart(2, "0")}`;
const silences = (mac: string): (string | undefined)[] =>
  reporter.reported.flatMap((one) => (one.mac === mac && one.kind === "dhcp.silence" ? [one.because] : []));

/** Another packet of the same client: a client that hears nothing begins a new exchange. */
let xid = 1;
const fresh = () => ({ xid: ++xid });

const DURABLE: ReadonlySet<Cut> = new Set(["with commit", "before the answer"]);

for (const [n, cut] of CUTS.entries()) {
  const isHeard = cut === "after the answer";
  test(`a first lease whose line is cut ${cut} is ${isHeard ? "acknowledged" : "not acknowledged, and why is on record"}; asked again it is given`, async () => {
    const mac = macOf(n + 1);
    const offer = await relay.ask(packet({ messageType: "DISCOVER" }, { mac }));
    line.cutNext(cut);
    if (isHeard) {
      const ack = await relay.ask(selecting(offer, mac));
      assert.deepEqual([get(ack.options, "messageType"), ack.yiaddr], ["ACK", offer.yiaddr]);
    } else {
      relay.send(selecting(offer, mac));
      await until(() => silences(mac).length > 0 || relay.received.length > 0);
      const heard = relay.received.splice(0);
      // What is durable may have come back by the feed meanwhile: then it stands, and may be said.
      if (heard.length > 0) assert.ok(DURABLE.has(cut), "what was taken back is said");
      else assert.deepEqual(silences(mac), ["database-away-not-bound"]);
    }
    assert.equal(line.made[cut], 1);
    const again = await relay.ask({ ...selecting(offer, mac), ...fresh() });
    assert.deepEqual([get(again.options, "messageType"), again.yiaddr], ["ACK", offer.yiaddr]);
  });
}

test("a renewal whose line is cut is acknowledged within what stands anyway, and a rival is not let in", async () => {
  const mac = macOf(20);
  const { answer } = await dora(relay, mac);
  const address = answer.yiaddr;
  await until(() => replica.lease(address) !== undefined);
  for (const cut of CUTS) {
    line.cutNext(cut);
    const ack = await relay.ask(packet({ messageType: "REQUEST" }, { mac, ciaddr: address, ...fresh() }));
    assert.deepEqual([get(ack.options, "messageType"), ack.yiaddr], ["ACK", address], cut);
    const seconds = get(ack.options, "leaseTime") as number;
    const rests = (replica.lease(address)!.reusableAt - replica.databaseNow()) / 1000;
    assert.ok(seconds <= rests, `${seconds} s were promised, ${rests} s are known to stand`);
    const rival = assertParsed(parseMac(macOf(21)), "");
    const segment = [...replica.segments()][0]!.id;
    const [outcome] = await near.commit(
      [{ do: "bind", segment, identity: rival, address, leaseSeconds: 600 }],
      "other",
    );
    assert.deepEqual(outcome, { is: "refused", because: "address-bound-elsewhere" });
  }
});

test("with the line down newcomers wait in silence and the known go on; when it is back nobody has to be told", async () => {
  const known = macOf(30);
  const { answer } = await dora(relay, known);
  await until(() => replica.lease(answer.yiaddr) !== undefined);
  line.down(true);
  const ack = await relay.ask(packet({ messageType: "REQUEST" }, { mac: known, ciaddr: answer.yiaddr, ...fresh() }));
  assert.equal(get(ack.options, "messageType"), "ACK");
  const newcomer = macOf(31);
  const offer = await relay.ask(packet({ messageType: "DISCOVER" }, { mac: newcomer }));
  relay.send(selecting(offer, newcomer));
  await until(() => silences(newcomer).length > 0);
  line.down(false);
  const given = await relay.ask({ ...selecting(offer, newcomer), ...fresh() });
  assert.deepEqual([get(given.options, "messageType"), given.yiaddr], ["ACK", offer.yiaddr]);
});
