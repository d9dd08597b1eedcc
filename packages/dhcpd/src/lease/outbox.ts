import { setTimeout as delay } from "node:timers/promises";
import type { Api, BootEvent, FeedPosition } from "@firstlight/api-client";
import { type Change, type Lease, macOf, type Replica } from "@firstlight/ipam";
import type { Store } from "@firstlight/ipam/store";
import { type Backoff, backoffMs, AutoResetEvent } from "@firstlight/service";
import { formatAddress, formatMac } from "@firstlight/wire";
import type { Reason } from "../reasons.ts";
import { RecentChanges } from "./recent-changes.ts";

/** The actor of dhcpd's changes in the feed: only these are DHCP events. */
export const ACTOR = "daemon/dhcpd";

const LIMIT = 512;
const IDLE_MS = 5_000;
/** How many changes are kept in memory; a reader that is further behind queries the database. */
const REMEMBERED = 4096;
/** How long the outbox collects leases for one report. */
const GATHER_MS = 20;
const RETRY: Backoff = { baseMs: 200, maxMs: 10_000 };
const KINDS = { bound: "dhcp.ack", released: "dhcp.release", declined: "dhcp.decline" } as const;

export interface OutboxParts {
  readonly api: Api;
  readonly store: Pick<Store, "changes">;
  readonly replica: Pick<Replica, "at" | "follow">;
  /** Called once when events begin to wait, not at each attempt. */
  readonly onFault: (fault: unknown) => void;
  /** Called once when no event waits any more. */
  readonly onBack: () => void;
  /** Called with the position that the API has acknowledged; first with the feed's position at the start. */
  readonly onPosition: (acknowledged: FeedPosition) => void;
}

/**
 * Reports leases to the API from their change rows. The change row is the outbox: a lease is written once, and no event is lost
 * with a process. Reports start after the position that the API has acknowledged, in order, at least once. Several daemons may
 * report the same change, because the API recognises it by its id.
 */
export async function reportLeases(parts: OutboxParts, signal: AbortSignal): Promise<void> {
  const wakeup = new AutoResetEvent();
  const tail = new RecentChanges(REMEMBERED);
  using _following = parts.replica.follow((event) => {
    tail.follow(event);
    wakeup.set();
  });
  signal.addEventListener("abort", () => wakeup.set(), { once: true });
  let after: FeedPosition | undefined;
  let failures = 0;
  parts.onPosition(parts.replica.at);
  while (!signal.aborted) {
    try {
      after ??= (await parts.api.feedPosition()) ?? { epoch: parts.replica.at.epoch, position: 0 };
      parts.onPosition(after);
      const next = await step(parts, after, tail);
      if (failures > 0) parts.onBack();
      failures = 0;
      if (next === undefined) await wakeup.wait(IDLE_MS);
      else {
        after = next;
        await delay(GATHER_MS, undefined, { signal }).catch(() => {});
      }
    } catch (fault) {
      if (signal.aborted) return; // the next start continues from the acknowledged position
      if (failures === 0) parts.onFault(fault);
      const ms = backoffMs(failures++, Math.random(), RETRY);
      await delay(ms, undefined, { signal }).catch(() => {}); // new leases do not shorten the back-off
    }
  }
}

/** One batch from the feed to the API; `undefined` when there is nothing new. */
async function step(
  { api, store }: OutboxParts,
  after: FeedPosition,
  tail: RecentChanges,
): Promise<FeedPosition | undefined> {
  const known = tail.after(after, LIMIT);
  const pulled = known ? { is: "changes" as const, changes: known } : await store.changes(after, LIMIT);
  if (pulled.is === "epoch") {
    // Positions also grow across epochs, so an acknowledged position stays acknowledged.
    const position = Math.min(after.position, pulled.now.position);
    return pulled.now.epoch === after.epoch ? pulled.now : { epoch: pulled.now.epoch, position };
  }
  const newest = pulled.changes.at(-1);
  if (!newest) return undefined;
  const events = pulled.changes.flatMap((change) => eventOf(change) ?? []);
  const position = { epoch: after.epoch, position: newest.position };
  await api.report(events, position);
  return position;
}

/**
 * The event of a change row: a lease, or a device that arrived. Its id is made of the change and not of its position in the
 * feed, because a restore may give the change another position. It includes the time, because a restore may give another change the same version.
 */
export function eventOf(change: Change): BootEvent | undefined {
  if (change.actor !== ACTOR) return undefined;
  if (change.is === "event") return arrivalOf(change);
  if (change.is !== "row" || change.row?.kind !== "lease") return undefined;
  const lease: Lease = change.row;
  const address = formatAddress(lease.address);
  const mac = macOf(lease.identity);
  return {
    id: `lease:${change.version}:${change.at}:${address}`,
    at: change.at,
    kind: KINDS[lease.state],
    ...(mac !== undefined && { mac: formatMac(mac) }),
    address,
    ...(change.trace !== undefined && { trace: change.trace }),
    detail: {
      expiresAt: new Date(lease.expiresAt).toISOString(),
      ...(lease.relay && { relay: formatAddress(lease.relay.giaddr) }),
    },
  };
}

type Arrival = Extract<Change, { is: "event"; kind: "arrival" }>;

const WHY: Readonly<Record<Arrival["event"]["is"], Reason>> = {
  promoted: "device-predicted",
  moved: "device-moved",
  alternates: "device-alternates",
};

function arrivalOf(change: Arrival): BootEvent {
  const { is, mac, address, segment, from, was } = change.event;
  return {
    id: `arrival:${change.version}:${change.at}:${address}`,
    at: change.at,
    kind: `interface.${is}`,
    mac,
    address,
    because: WHY[is],
    ...(change.trace !== undefined && { trace: change.trace }),
    detail: { segment, ...(from !== undefined && { from }), ...(was !== undefined && { was }) },
  };
}
