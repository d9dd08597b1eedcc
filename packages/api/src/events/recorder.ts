import { createHash, randomUUID } from "node:crypto";
import type { BootEvent, FeedPosition, PhoneHome } from "@firstlight/api-client";
import { auditMachine } from "@firstlight/ipam/ops";
import type { Pool, PoolClient } from "pg";
import { transaction } from "../database.ts";
import { type LifecycleEffect, type LifecycleEvent, type Machine, partOf, step } from "../machine/lifecycle.ts";
import { findMachine, lockMachines, type MachineRow, saveMachines } from "../machine/rows.ts";
import { type Facts, callRefused } from "../grpc/error.ts";
import type { Reason } from "../reasons.ts";
import type { Roster } from "../machine/roster.ts";
import type { Tokens } from "../boot/token.ts";
import { type Entry, record, type RingSizes, unknownRing } from "./timeline.ts";

/** All changes of machines, each in one transaction: an answer means that the change is durable. */
export interface Recorder {
  /** Ids of the events that were new. */
  report(events: readonly BootEvent[], position: FeedPosition | undefined): Promise<string[]>;
  phoneHome(home: PhoneHome): Promise<MachineRow>;
  /** An operator's request to a machine, by id or name. */
  apply(idOrName: string, event: LifecycleEvent, actor: string): Promise<MachineRow>;
}

export interface RecorderParts {
  readonly pool: Pool;
  readonly roster: Roster;
  readonly tokens: Tokens;
  readonly sizes: RingSizes;
  readonly now: () => number;
  /** Called after the commit, once for each changed machine. */
  readonly changed: (machineId: string) => void;
  /** Called after the commit, once for each event whose span only this process makes. */
  readonly traced: (event: BootEvent) => void;
}

/** Kinds of events that only a client with a lease causes: they make an unexpected MAC a machine. */
const PROVES_A_CLIENT = /^(dhcp\.ack|tftp\.|pxe\.)/;

export function createRecorder(parts: RecorderParts): Recorder {
  const { pool, roster, tokens, sizes, now, changed, traced } = parts;

  /** Saves machines after the lifecycle has changed them, and records the changes on their timelines. */
  async function keep(client: PoolClient, moved: ReadonlyMap<string, Machine>, moves: readonly Move[]) {
    await saveMachines(client, [...moved.values()]);
    return moves.length === 0 ? [] : record(client, moves.map(entryOf), sizes);
  }

  function entryOf({ after, from, to, because, facts, actor, trace }: Move): Entry {
    const id = `state:${after.id}:${after.version}`;
    const detail = { from, to, by: actor, ...facts };
    const event: BootEvent = {
      id,
      at: now(),
      kind: "machine.state",
      because,
      ...(trace !== undefined && { trace }),
      detail,
    };
    return { ring: { machine: after.id }, event };
  }

  return {
    async report(events, position) {
      const macs = [...new Set(events.flatMap(({ mac }) => mac ?? []))];
      const creators = new Set(
        events.flatMap(({ mac, kind }) => (mac !== undefined && PROVES_A_CLIENT.test(kind) ? [mac] : [])),
      );
      const ids = await roster.resolve(macs, creators);
      const { fresh, moved, moves } = await transaction(pool, async (client) => {
        const machines = new Map(
          (await lockMachines(client, [...new Set(ids.values())])).map((machine) => [machine.id, machine]),
        );
        const machineOf = ({ mac }: BootEvent): MachineRow | undefined => machines.get(ids.get(mac ?? "") ?? "");
        const entries = events.map((event): Entry => {
          const machine = machineOf(event);
          return { event, ring: machine ? { machine: machine.id } : unknownRing(event) };
        });
        const fresh = await record(client, entries, sizes);
        const moved = new Map<string, MachineRow>();
        const moves: Move[] = [];
        for (const event of fresh.filter(({ kind }) => kind === "pxe.script")) {
          const machine = machineOf(event);
          if (!machine) continue;
          const [next, effects] = step(machine, scriptOf(event));
          if (next === machine) continue;
          const after = { ...machine, ...next };
          machines.set(machine.id, after);
          moved.set(machine.id, after);
          moves.push(...movesOf(after, effects, "boot", event.trace));
        }
        const told = await keep(client, moved, moves);
        if (position) await acknowledge(client, position);
        return { fresh, moved, moves: told };
      });
      for (const id of moved.keys()) changed(id);
      const ofTheFeed = position ? fresh : []; // every dhcpd may report these, so none makes their spans
      for (const event of [...ofTheFeed, ...moves]) traced(event);
      return fresh.map(({ id }) => id);
    },

    async phoneHome(home) {
      const id = (await roster.resolve([home.mac], new Set([home.mac]))).get(home.mac);
      if (id === undefined) throw callRefused("mac-not-found", { mac: home.mac });
      const { before, after, events } = await transaction(pool, async (client) => {
        const [machine] = await lockMachines(client, [id]);
        if (!machine) throw callRefused("mac-not-found", { mac: home.mac });
        const part = partOf(machine, home.mac);
        const isProven = part !== undefined && tokens.proves(home.token, machine, part);
        const [next, effects] = step(machine, { is: "phoneHome", part, isProven });
        const ignored = effects.find((effect) => effect.do === "ignore");
        const event = homeEvent(home, now(), ignored);
        const fresh = await record(client, [{ ring: { machine: id }, event }], sizes);
        if (next === machine) return { before: machine, after: machine, events: fresh };
        const after = { ...machine, ...next };
        const moves = await keep(client, new Map([[id, after]]), movesOf(after, effects, "boot", home.trace));
        return { before: machine, after, events: [...fresh, ...moves] };
      });
      if (after.version !== before.version) changed(id);
      for (const event of events) traced(event);
      return after;
    },

    async apply(idOrName, event, actor) {
      const after = await transaction(pool, async (client) => {
        const found = await findMachine(client, idOrName);
        const [machine] = found ? await lockMachines(client, [found.id]) : [];
        if (!machine) throw callRefused("machine-not-found", { machine: idOrName });
        const [next, effects] = step(machine, event);
        const refusal = effects.find((effect) => effect.do === "refuse");
        if (refusal) throw callRefused(refusal.because, refusal.facts);
        if (next !== machine) {
          await keep(client, new Map([[next.id, next]]), movesOf(next, effects, actor));
          const { name, version } = next;
          await auditMachine(client, { machine: name, version, actor, before: stateOf(machine), after: stateOf(next) });
        }
        return (await findMachine(client, machine.id))!;
      });
      changed(after.id);
      return after;
    },
  };
}

/** A machine for the audit: a field that may hold secrets is shown as a digest. */
function stateOf({ state, tenant, script, userData }: Machine) {
  return { state, tenant, script: digestOf(script), user_data: digestOf(userData) };
}

function digestOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** The event of one machine's change of state. */
interface Move extends Omit<Extract<LifecycleEffect, { do: "record" }>, "do"> {
  readonly after: Machine;
  readonly actor: string;
  readonly trace: string | undefined;
}

function movesOf(after: Machine, effects: readonly LifecycleEffect[], actor: string, trace?: string): Move[] {
  return effects.flatMap((effect) => (effect.do === "record" ? [{ ...effect, after, actor, trace }] : []));
}

function scriptOf({ detail }: BootEvent): LifecycleEvent {
  return { is: "script", action: detail?.["action"] ?? "none", version: Number(detail?.["version"] ?? Number.NaN) };
}

/** Two phone-homes of one system in one boot are one event: pxe-http may repeat a call. */
function homeEvent(
  { mac, address, trace, token, detail }: PhoneHome,
  at: number,
  ignored: { readonly because: Reason; readonly facts?: Facts } | undefined,
): BootEvent {
  const boot = createHash("sha256")
    .update(JSON.stringify([mac, trace, token]))
    .digest("base64url");
  return {
    id: trace === undefined ? `home:${randomUUID()}` : `home:${boot}`,
    at,
    kind: "pxe.phone-home",
    mac,
    address,
    detail: { ...detail, ...ignored?.facts },
    ...(trace !== undefined && { trace }),
    ...(ignored && { because: ignored.because }),
  };
}

/** Positions go on growing across epochs (ipam's feed), so the farther one is the later one. */
async function acknowledge(client: PoolClient, { epoch, position }: FeedPosition): Promise<void> {
  await client.query(
    `INSERT INTO api.feed_position AS f (epoch, position) VALUES ($1, $2)
     ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, position = excluded.position WHERE f.position < excluded.position`,
    [epoch, position],
  );
}

/** Where lease events of the change feed are acknowledged up to. */
export async function feedPosition(pool: Pool): Promise<FeedPosition | undefined> {
  const { rows } = await pool.query<FeedPosition>("SELECT epoch, position FROM api.feed_position");
  return rows[0];
}
