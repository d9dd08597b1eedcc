import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "@firstlight/service";
import { formatIPv4, parseMac } from "@firstlight/wire";
import type { Booted } from "./boot.ts";
import type { RackConfig } from "./config.ts";
import { seededRandom } from "./core/seeded-random.ts";
import type { FleetMachine, Role } from "./fleet.ts";
import type { AbortFanOut } from "./abort-fan-out.ts";
import { hold } from "./lease.ts";
import type { Nic, Servers } from "./nic.ts";
import type { Relay } from "./relay.ts";
import type { InterfaceReport, Step } from "./timeline.ts";

export interface PowerOn extends RackConfig {
  /** Cuts the power: boots end and leases are no longer renewed. */
  readonly signal?: AbortSignal;
  /** Systems that are up renew their leases until the power is cut, after `powerOn` has settled too. */
  readonly stay?: boolean;
  readonly clock?: Clock;
}

/** State shared by all interfaces of a powered rack. */
export interface Rack {
  readonly options: PowerOn;
  readonly relays: Relays;
  readonly servers: Servers;
  readonly clock: Clock;
  readonly startedAt: number;
  readonly record: (step: Step) => void;
  readonly power: AbortFanOut;
  readonly booting: AbortFanOut;
  /** Lease renewals in the background. */
  readonly held: Promise<void>[];
}

export interface Relays extends AsyncDisposable {
  readonly of: Readonly<Record<Role, Relay>>;
}

/** Firmware repeats its boot order. */
const RETRY_MS = [2000, 5000, 10_000, 30_000];

/** The boot of one interface: its attempts, timeline and outcome. */
export class InterfaceBoot {
  readonly role: Role;
  readonly #rack: Rack;
  readonly #nic: Nic;
  readonly #mac: string;
  readonly #steps: Step[] = [];
  #booted: Booted | undefined;
  #because: string | undefined;

  constructor(rack: Rack, { name, serial }: FleetMachine, role: Role, mac: string, index: number) {
    this.role = role;
    this.#rack = rack;
    this.#mac = mac;
    const { clock, servers, booting, startedAt } = rack;
    let programs = 0;
    this.#nic = {
      mac: parseMac(mac) as number,
      serial,
      port: index + 1,
      relay: rack.relays.of[role],
      servers,
      clock,
      seed: rack.options.seed,
      nextSeed: () => seededRandom(rack.options.seed, programs++),
      until: rack.options.until,
      signal: booting.branch(),
      record: (step, detail = {}) => {
        const entry: Step = { machine: name, role, mac, at: clock.now() - startedAt, step, detail };
        this.#steps.push(entry);
        rack.record(entry);
      },
    };
  }

  get isDone(): boolean {
    return this.#booted !== undefined;
  }

  async run(boot: (nic: Nic) => Promise<Booted>): Promise<void> {
    const before = this.#booted?.name;
    this.#booted = undefined;
    for (let tries = 0; !this.#booted && !this.#rack.booting.isAborted; tries++) {
      try {
        const booted = await boot(this.#nic);
        this.#nic.record("ready", { runs: booted.runs });
        this.#booted = { ...booted, ...(booted.name === undefined && before !== undefined && { name: before }) };
      } catch (fault) {
        if (this.#rack.booting.isAborted) return; // keep the last step and reason
        this.#because = fault instanceof Error ? fault.message : String(fault);
        const waitMs = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]!;
        this.#nic.record("boot.retry", { because: this.#because, waitMs });
        await sleep(waitMs, undefined, { signal: this.#nic.signal }).catch(() => {});
      }
    }
  }

  /** Ends the boot: reports a failure, or keeps renewing the lease. */
  settle(): void {
    const { options, power, held } = this.#rack;
    if (!this.#booted) this.#nic.record("failed", { in: this.#hangsIn, because: this.#reason });
    else if (options.stay) {
      const { program, lease } = this.#booted;
      held.push(hold({ ...this.#nic, signal: power.branch() }, program, lease).catch(() => {})); // ends when the power is cut
    }
  }

  report(): InterfaceReport {
    const last = this.#booted;
    return {
      role: this.role,
      mac: this.#mac,
      done: last !== undefined,
      timeline: this.#steps,
      ...(last && { address: formatIPv4(last.lease.address) }),
      ...(last?.name !== undefined && { name: last.name }),
      ...(!last && { hangsIn: this.#hangsIn, because: this.#reason }),
    };
  }

  get #hangsIn(): Step["step"] {
    return this.#steps.findLast(({ step }) => step !== "failed" && step !== "boot.retry")?.step ?? "power-on";
  }

  get #reason(): string {
    const { power, options } = this.#rack;
    const end = power.isAborted ? "the power was cut" : `not done within ${options.deadlineSeconds} s`;
    return this.#because === undefined ? end : `${end}; before that: ${this.#because}`;
  }
}
