import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { formatIPv4, formatMac, isMalformed, type Mac, parseIPv4 } from "@firstlight/wire";
import type { Message } from "@firstlight/wire/dhcp4";
import { Client } from "pg";
import { attach, type Attachment, serverOf, typeOf } from "./attachment.ts";
import { live, skip } from "./live.ts";

const GATEWAY = ip("127.66.0.1");
const FIRST_MAC = 0x02f1_ff00_0000; // locally administered, of no machine of the site
const [ROUNDS, CLIENTS, PROMISED] = [3, 80, 20];

test(
  "dhcpd killed right after its ACKs has lost no lease and gives no address twice",
  { skip, timeout: 180_000 },
  async (t) => {
    const { signal } = t;
    await using site = await live(signal, ["--machines", "1"]);
    await site.seen(/^The site is up|endpoints/);
    await using database = await connected(site.databaseUrl);
    await using crowd = await gather(site.dhcpPort);

    for (let round = 0; round < ROUNDS; round++) {
      const victim = await site.pid("dhcpd");
      const goal = crowd.held.size + PROMISED;
      const newcomers = Array.from({ length: CLIENTS }, (_, n) => FIRST_MAC + round * CLIENTS + n);
      crowd.onAck = () => {
        if (crowd.held.size === goal) process.kill(victim, "SIGKILL"); // its other ACKs are on their way, or never leave
      };
      await crowd.boot(newcomers, () => crowd.held.size >= goal);
      crowd.onAck = undefined;
      await site.pid("dhcpd", victim);
      assert.deepEqual(await missing(database, crowd.held), [], "every promise heard is in the database");
      await crowd.boot(newcomers, () => newcomers.every((mac) => crowd.held.has(mac)));
      assert.equal(new Set(crowd.held.values()).size, crowd.held.size, "no address twice");
    }

    const before = new Map(crowd.held);
    crowd.held.clear();
    await crowd.reboot(before);
    assert.deepEqual(crowd.held, before, "who comes back with its address keeps it");
    assert.deepEqual(crowd.changed, [], "nobody was ever promised another one");
    assert.deepEqual(await missing(database, before), []);
    await t.test("every promise is on record at the API", () => told(database, before));
    assert.equal(await site.stop(), 0, site.output.join("\n"));
  },
);

/** Clients behind one relay, and what each was promised last. */
interface Crowd extends AsyncDisposable {
  readonly held: Map<Mac, number>;
  /** Clients whose promise moved to another address. */
  readonly changed: string[];
  onAck: (() => void) | undefined;
  /** DISCOVER to ACK for all of them, asking again as clients do, until it is enough. */
  boot(macs: readonly Mac[], isEnough: () => boolean): Promise<void>;
  /** REQUEST of the address they remember, RFC 2131 §4.3.2 INIT-REBOOT, until all have an answer. */
  reboot(remembered: ReadonlyMap<Mac, number>): Promise<void>;
}

async function gather(dhcpPort: number): Promise<Crowd> {
  const [held, changed] = [new Map<Mac, number>(), [] as string[]];
  let xid = 1;
  const hear = (mac: Mac, reply: Message): void => {
    if (typeOf(reply) === "OFFER") {
      const [requestedAddress, serverId] = [reply.yiaddr, serverOf(reply)];
      return relay.ask(mac, reply.xid, { messageType: "REQUEST", requestedAddress, serverId });
    }
    if (typeOf(reply) !== "ACK") return;
    const had = held.get(mac);
    if (had !== undefined && had !== reply.yiaddr)
      changed.push(`${formatMac(mac)}: ${formatIPv4(had)}, then ${formatIPv4(reply.yiaddr)}`);
    held.set(mac, reply.yiaddr);
    crowd.onAck?.();
  };
  const server = { address: ip("127.0.0.1"), port: dhcpPort };
  const relay: Attachment = await attach(GATEWAY, server, hear);
  const crowd: Crowd = {
    held,
    changed,
    onAck: undefined,
    async boot(macs, isEnough) {
      await insist(isEnough, () => {
        for (const mac of macs) if (!held.has(mac)) relay.ask(mac, xid++, { messageType: "DISCOVER" });
      });
    },
    async reboot(remembered) {
      await insist(
        () => held.size === remembered.size,
        () => {
          for (const [mac, requestedAddress] of remembered)
            if (!held.has(mac)) relay.ask(mac, xid++, { messageType: "REQUEST", requestedAddress });
        },
      );
    },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
  return crowd;
}

const AGAIN_MS = 1000;

/** Asks, and asks again each second, until it is enough. The test's own time limit bounds it. */
async function insist(isEnough: () => boolean, ask: () => void): Promise<void> {
  for (let askAt = 0; !isEnough(); await sleep(10)) {
    if (Date.now() < askAt) continue;
    ask();
    askAt = Date.now() + AGAIN_MS;
  }
}

async function connected(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** Promises that the database does not know, or knows as another's. */
async function missing(database: Client, held: ReadonlyMap<Mac, number>): Promise<string[]> {
  const { rows } = await database.query<{ mac: string; address: string }>(
    "SELECT mac::text, host(address) AS address FROM ipam.lease WHERE state = 'bound' AND expires_at > now()",
  );
  const known = new Set(rows.map(({ mac, address }) => `${mac} ${address}`));
  return [...held].map(([mac, address]) => `${formatMac(mac)} ${formatIPv4(address)}`).filter((one) => !known.has(one));
}

/** The change rows are the outbox: whichever dhcpd lives goes on where the dead one was. */
async function told(database: Client, held: ReadonlyMap<Mac, number>): Promise<void> {
  const promises = [...held].map(([mac, address]) => `${formatMac(mac)} ${formatIPv4(address)}`);
  for (let tries = 0; ; tries++) {
    const { rows } = await database.query<{ mac: string; address: string }>(
      "SELECT mac, address FROM api.machine_event WHERE kind = 'dhcp.ack'",
    );
    const known = new Set(rows.map(({ mac, address }) => `${mac} ${address}`));
    const untold = promises.filter((one) => !known.has(one));
    if (untold.length === 0) return;
    if (tries >= 20) return assert.deepEqual(untold, []);
    await sleep(250);
  }
}

function ip(text: string): number {
  const address = parseIPv4(text);
  assert.ok(!isMalformed(address));
  return address;
}
