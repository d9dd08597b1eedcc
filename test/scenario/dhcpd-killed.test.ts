import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { formatIPv4, formatMac, isMalformed, type Mac, parseIPv4 } from "@firstlight/wire";
import type { Message } from "@firstlight/wire/dhcp4";
import { Client } from "pg";
import { openRelay, type TestRelay, serverOf, typeOf } from "./relay.ts";
import { startSite, skip } from "./running-site.ts";

const GATEWAY = ip("127.66.0.1");
const FIRST_MAC = 0x02f1_ff00_0000; // locally administered, of no machine of the site
const [ROUNDS, CLIENTS, ACKS_BEFORE_KILL] = [3, 80, 20];

test(
  "a dhcpd that is killed after an ACK loses no lease and gives no address twice",
  { skip, timeout: 180_000 },
  async (t) => {
    const { signal } = t;
    await using site = await startSite(signal, ["--machines", "1"]);
    await site.untilLine(/^The site is up|endpoints/);
    await using database = await openDatabase(site.databaseUrl);
    await using clients = await openClients(site.dhcpPort);

    for (let round = 0; round < ROUNDS; round++) {
      const pid = await site.pid("dhcpd");
      const goal = clients.held.size + ACKS_BEFORE_KILL;
      const newClients = Array.from({ length: CLIENTS }, (_, n) => FIRST_MAC + round * CLIENTS + n);
      clients.onAck = () => {
        if (clients.held.size === goal) process.kill(pid, "SIGKILL"); // its other ACKs may be sent or not
      };
      await clients.boot(newClients, () => clients.held.size >= goal);
      clients.onAck = undefined;
      await site.pid("dhcpd", pid);
      assert.deepEqual(
        await missingLeases(database, clients.held),
        [],
        "a lease of a received ACK is not in the database",
      );
      await clients.boot(newClients, () => newClients.every((mac) => clients.held.has(mac)));
      assert.equal(new Set(clients.held.values()).size, clients.held.size, "two clients have one address");
    }

    const before = new Map(clients.held);
    clients.held.clear();
    await clients.reboot(before);
    assert.deepEqual(clients.held, before, "a client that asked for its address again has another one");
    assert.deepEqual(clients.changed, [], "a client got another address");
    assert.deepEqual(await missingLeases(database, before), []);
    await t.test("the API has an event for every lease", () => assertRecorded(database, before));
    assert.equal(await site.stop(), 0, site.output.join("\n"));
  },
);

/** Clients behind one relay, with the address of each one's last ACK. */
interface Clients extends AsyncDisposable {
  readonly held: Map<Mac, number>;
  /** Clients that got an ACK for another address than before. */
  readonly changed: string[];
  onAck: (() => void) | undefined;
  /** Runs DISCOVER to ACK for clients without a lease, with retransmissions, until `isEnough`. */
  boot(macs: readonly Mac[], isEnough: () => boolean): Promise<void>;
  /** Sends a REQUEST for each remembered address (INIT-REBOOT, RFC 2131 §4.3.2), until all have an ACK. */
  reboot(remembered: ReadonlyMap<Mac, number>): Promise<void>;
}

async function openClients(dhcpPort: number): Promise<Clients> {
  const [held, changed] = [new Map<Mac, number>(), [] as string[]];
  let xid = 1;
  const onReply = (mac: Mac, reply: Message): void => {
    if (typeOf(reply) === "OFFER") {
      const [requestedAddress, serverId] = [reply.yiaddr, serverOf(reply)];
      return relay.send(mac, reply.xid, { messageType: "REQUEST", requestedAddress, serverId });
    }
    if (typeOf(reply) !== "ACK") return;
    const previous = held.get(mac);
    if (previous !== undefined && previous !== reply.yiaddr)
      changed.push(`${formatMac(mac)}: ${formatIPv4(previous)}, then ${formatIPv4(reply.yiaddr)}`);
    held.set(mac, reply.yiaddr);
    clients.onAck?.();
  };
  const server = { address: ip("127.0.0.1"), port: dhcpPort };
  const relay: TestRelay = await openRelay(GATEWAY, server, onReply);
  const clients: Clients = {
    held,
    changed,
    onAck: undefined,
    async boot(macs, isEnough) {
      await retransmit(isEnough, () => {
        for (const mac of macs) if (!held.has(mac)) relay.send(mac, xid++, { messageType: "DISCOVER" });
      });
    },
    async reboot(remembered) {
      await retransmit(
        () => held.size === remembered.size,
        () => {
          for (const [mac, requestedAddress] of remembered)
            if (!held.has(mac)) relay.send(mac, xid++, { messageType: "REQUEST", requestedAddress });
        },
      );
    },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
  return clients;
}

const RETRANSMIT_MS = 1000;

/** Calls `send` each second until `isEnough`. The test's timeout ends it. */
async function retransmit(isEnough: () => boolean, send: () => void): Promise<void> {
  for (let sendAt = 0; !isEnough(); await sleep(10)) {
    if (Date.now() < sendAt) continue;
    send();
    sendAt = Date.now() + RETRANSMIT_MS;
  }
}

async function openDatabase(url: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** Leases that the database does not have, or has for another client. */
async function missingLeases(database: Client, held: ReadonlyMap<Mac, number>): Promise<string[]> {
  const { rows } = await database.query<{ mac: string; address: string }>(
    "SELECT mac::text, host(address) AS address FROM ipam.lease WHERE state = 'bound' AND expires_at > now()",
  );
  const known = new Set(rows.map(({ mac, address }) => `${mac} ${address}`));
  return [...held].map(([mac, address]) => `${formatMac(mac)} ${formatIPv4(address)}`).filter((one) => !known.has(one));
}

/** Waits until the API has an event for each lease: a new dhcpd reports those that the killed one did not. */
async function assertRecorded(database: Client, held: ReadonlyMap<Mac, number>): Promise<void> {
  const leases = [...held].map(([mac, address]) => `${formatMac(mac)} ${formatIPv4(address)}`);
  for (let tries = 0; ; tries++) {
    const { rows } = await database.query<{ mac: string; address: string }>(
      "SELECT mac, address FROM api.machine_event WHERE kind = 'dhcp.ack'",
    );
    const known = new Set(rows.map(({ mac, address }) => `${mac} ${address}`));
    const missing = leases.filter((one) => !known.has(one));
    if (missing.length === 0) return;
    if (tries >= 20) return assert.deepEqual(missing, []);
    await sleep(250);
  }
}

function ip(text: string): number {
  const address = parseIPv4(text);
  assert.ok(!isMalformed(address));
  return address;
}
