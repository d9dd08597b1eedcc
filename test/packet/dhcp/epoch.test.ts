/** dhcpd on a real database that goes back to a backup while leases are promised and their events wait for the API. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { startSequencer } from "@firstlight/ipam/store";
import { backup, testDatabase } from "@firstlight/kit/postgres";
import { type IPv4, parseMac, assertParsed } from "@firstlight/wire";
import { get } from "@firstlight/wire/dhcp4";
import * as fc from "fast-check";
import { packet } from "@firstlight/kit/dhcp4";
import { realLab, until } from "./postgres.ts";
import { selecting } from "./lab.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const { url } = parts.use(await testDatabase());
const lab = parts.use(await realLab(url, { config: { offerHoldSeconds: 1 } }));
const { replica, api, reporter, relay, near: store } = lab;

/** From the beginning; a client asks for the address it had. */
async function lease(mac: string, requestedAddress?: IPv4): Promise<IPv4> {
  const asked = { messageType: "DISCOVER", ...(requestedAddress !== undefined && { requestedAddress }) } as const;
  const offer = await relay.ask(packet(asked, { mac }));
  const answer = await relay.ask(selecting(offer, mac));
  assert.equal(get(answer.options, "messageType"), "ACK");
  return answer.yiaddr;
}

async function renew(mac: string, address: IPv4): Promise<unknown> {
  const answer = await relay.ask(packet({ messageType: "REQUEST" }, { mac, ciaddr: address }));
  return get(answer.options, "messageType");
}

/** Renews what nobody remembers: no answer (RFC 2131 §4.3.2), and a reason. */
async function renewUnknown(mac: string, address: IPv4): Promise<void> {
  relay.send(packet({ messageType: "REQUEST" }, { mac, ciaddr: address }));
  const isSaid = (): boolean =>
    reporter.reported.some((one) => one.mac === mac && one.kind === "dhcp.silence" && one.because === UNKNOWN);
  await until(isSaid);
}

const UNKNOWN = "client-unknown";

/** Goes back to the backup while no sequencer runs, as an operator would; the next one begins a new epoch. */
async function restored(restore: () => Promise<void>, meanwhile: () => Promise<void>): Promise<void> {
  const { epoch } = replica.at;
  await lab.sequencer[Symbol.asyncDispose]();
  await restore();
  await meanwhile();
  lab.sequencer = startSequencer({ url, name: "api", candidacyMs: 20, pollMs: 10, seen: () => replica.at });
  await until(() => replica.at.epoch !== epoch);
}

let devices = 0;
const nextMac = (): string => `02:ee:00:00:00:${(++devices).toString(16).padStart(2, "0")}`;
const acks = (mac: string): string[] =>
  [...api.events.values()].flatMap((one) => (one.mac === mac && one.kind === "dhcp.ack" ? [one.id] : []));

/** Who had a lease when the backup was taken, who got one since, whose address another replica gave away, where the API was. */
const story = fc.record({
  kept: fc.integer({ min: 1, max: 3 }),
  lost: fc.integer({ min: 1, max: 3 }),
  takenBy: fc.boolean(),
  isApiDown: fc.boolean(),
  renewsBefore: fc.boolean(),
});

test("a restore under dhcpd: what the backup has stands, what it lost is given again where nobody took it, nothing is twice", async (t) => {
  let [stood, again, gone] = [0, 0, 0];
  await fc.assert(
    fc.asyncProperty(story, async ({ kept, lost, takenBy, isApiDown, renewsBefore }) => {
      api.down = isApiDown;
      const had = new Map<string, IPv4>();
      for (let n = 0; n < kept; n++) await leased(had);
      const restore = await backup(url);
      const since = new Map<string, IPv4>();
      for (let n = 0; n < lost; n++) await leased(since);
      if (renewsBefore) for (const [mac, address] of had) assert.equal(await renew(mac, address), "ACK");
      if (!isApiDown) await until(() => [...since.keys()].every((mac) => acks(mac).length === 1));

      const [victim, taken] = takenBy ? [...since][0]! : [undefined, undefined];
      const thief = nextMac();
      await restored(restore, async () => {
        if (taken === undefined) return;
        const segment = [...replica.segments()][0]!.id;
        const bind = {
          do: "bind",
          segment,
          identity: assertParsed(parseMac(thief), thief),
          address: taken,
          leaseSeconds: 600,
        } as const;
        const [outcome] = await store.commit([bind], "daemon/dhcpd");
        assert.equal(outcome?.is, "bound", "the database does not know better");
      });
      for (const mac of since.keys()) assert.equal(replica.interfacesOf(assertParsed(parseMac(mac), mac)).length, 0);

      const now = new Map<string, IPv4>(taken === undefined ? [] : [[thief, taken]]);
      for (const [mac, address] of had) {
        assert.equal(await renew(mac, address), "ACK", "the backup has it");
        now.set(mac, address);
      }
      for (const [mac, address] of since) {
        if (mac === victim) assert.equal(await renew(mac, address), "NAK");
        else await renewUnknown(mac, address);
        const given = await lease(mac, address);
        if (mac !== victim) assert.equal(given, address, "nobody took it: it is given again");
        now.set(mac, given);
      }
      stood += had.size;
      again += since.size - (taken === undefined ? 0 : 1);
      gone += taken === undefined ? 0 : 1;
      assert.equal(new Set(now.values()).size, now.size, "nothing is twice");
      api.down = false;
      await until(() => [...now.keys()].every((mac) => acks(mac).length > 0));
      await until(() => api.position?.epoch === replica.at.epoch && api.position.position === replica.at.position);
      mustBeToldOnce([...had.keys()]);
    }),
    { numRuns: 8 },
  );
  t.diagnostic(`${stood} promises stood after a restore, ${again} were given again, ${gone} were another's by then`);
});

async function leased(among: Map<string, IPv4>): Promise<void> {
  const mac = nextMac();
  among.set(mac, await lease(mac));
}

/** A change is told by its place in the feed: no two events of one device are of one moment. */
function mustBeToldOnce(macs: readonly string[]): void {
  for (const mac of macs) {
    const moments = [...api.events.values()].flatMap((one) => (one.mac === mac ? [`${one.kind} ${one.at}`] : []));
    assert.equal(new Set(moments).size, moments.length, moments.join(", "));
  }
}
