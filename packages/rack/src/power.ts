import { setTimeout as sleep } from "node:timers/promises";
import { MissingPrerequisite, systemClock } from "@firstlight/service";
import { isMalformed, parseIPv4 } from "@firstlight/wire";
import { type Booted, bootBmc, bootNetwork } from "./boot.ts";
import { BMCS, DPU_FIRMWARE, HOST_FIRMWARES } from "./firmware.ts";
import { fleet, type FleetMachine, type Role } from "./fleet.ts";
import { AbortFanOut } from "./abort-fan-out.ts";
import { BootFailed, type Nic, type Servers } from "./nic.ts";
import { openRelay, type Relay } from "./relay.ts";
import type { MachineReport, RackReport, Step } from "./timeline.ts";
import { type PowerOn, type Rack, type Relays, InterfaceBoot } from "./interface-boot.ts";

export type { PowerOn } from "./interface-boot.ts";

/** The relays of every segment, for `powerOn`; a `MissingPrerequisite` where this machine has no such addresses. */
export async function plugIn({ segments, servers }: Pick<PowerOn, "segments" | "servers">): Promise<Relays> {
  await using opening = new AsyncDisposableStack();
  const open = async (name: "bmc" | "dpu" | "host"): Promise<Relay> => {
    const { gateway } = segments[name];
    try {
      return opening.use(await openRelay(name, ipv4(gateway), endpointOf(servers.dhcp)));
    } catch (error) {
      throw new MissingPrerequisite(
        `the rack has no power: its ${name} relay cannot be at ${gateway}: ${(error as Error).message}`,
      );
    }
  };
  const of = { host_bmc: await open("bmc"), dpu_oob: await open("dpu"), host: await open("host") };
  const owned = opening.move();
  return { of, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Powers a rack on, tells every step as it happens, and reports when each machine is done, has failed or is out of time. */
export async function powerOn(options: PowerOn, record: (step: Step) => void, relays?: Relays): Promise<RackReport> {
  const { clock = systemClock, signal: power = new AbortController().signal, stay = false } = options;
  relays ??= await plugIn(options);
  const startedAt = clock.now();
  const deadline = AbortSignal.timeout(options.deadlineSeconds * 1000);
  const booting = AbortSignal.any([power, deadline]);
  const rack: Rack = {
    options,
    relays,
    servers: serversOf(options),
    clock,
    startedAt,
    record,
    power: new AbortFanOut(power),
    booting: new AbortFanOut(booting),
    held: [],
  };
  const machines = await inTurns(fleet(options.machines), rack, booting);
  const done = Promise.allSettled(rack.held).then(() => relays[Symbol.asyncDispose]());
  if (stay) done.catch(() => {});
  else await relays[Symbol.asyncDispose]();
  const behindMs = Math.max(...Object.values(relays.of).map((relay) => relay.behindMs));
  return { machines, done: machines.filter((machine) => machine.done).length, ms: clock.now() - startedAt, behindMs };
}

/** At most `concurrency` at a time, each `staggerMs` after the one before: power supplies are sequenced too. */
async function inTurns(machines: readonly FleetMachine[], rack: Rack, signal: AbortSignal): Promise<MachineReport[]> {
  const { concurrency, staggerMs } = rack.options;
  const reports: Promise<MachineReport>[] = [];
  const booting = new Set<Promise<unknown>>();
  for (const [index, machine] of machines.entries()) {
    if (booting.size >= concurrency) await Promise.race(booting);
    if (index > 0 && staggerMs > 0) await sleep(staggerMs, undefined, { signal }).catch(() => {});
    const report = bootMachine(rack, machine, index).finally(() => booting.delete(report));
    booting.add(report);
    reports.push(report);
  }
  return Promise.all(reports);
}

async function bootMachine(rack: Rack, machine: FleetMachine, index: number): Promise<MachineReport> {
  const from = rack.clock.now();
  const boots = machine.interfaces.map(({ role, mac }) => new InterfaceBoot(rack, machine, role, mac, index));
  await Promise.all(boots.map((boot) => boot.run((nic) => BOOT[boot.role](nic, index))));
  if (rack.options.powerCycle && boots.every((boot) => boot.isDone)) {
    await boots.find(({ role }) => role === "host")?.run((nic) => bootAgain(nic, index));
  }
  for (const boot of boots) boot.settle();
  const interfaces = boots.map((boot) => boot.report());
  return {
    name: machine.name,
    serial: machine.serial,
    done: interfaces.every(({ done }) => done),
    ms: rack.clock.now() - from,
    interfaces,
  };
}

const hostFirmware = (index: number) => HOST_FIRMWARES[index % HOST_FIRMWARES.length]!;

const BOOT: Readonly<Record<Role, (nic: Nic, index: number) => Promise<Booted>>> = {
  host: (nic, index) => bootNetwork(nic, hostFirmware(index)),
  dpu_oob: (nic) => bootNetwork(nic, DPU_FIRMWARE),
  host_bmc: (nic, index) => {
    const bmc = BMCS[index % BMCS.length]!;
    nic.record("power-on", { firmware: bmc.name });
    return bootBmc(nic, bmc);
  },
};

/** The boot after Ready. */
async function bootAgain(nic: Nic, index: number): Promise<Booted> {
  const booted = await bootNetwork(nic, hostFirmware(index));
  if (booted.runs !== "local disk") throw new BootFailed("booted from the network again, not from its local disk");
  return booted;
}

function serversOf({ servers }: PowerOn): Servers {
  return { dhcp: endpointOf(servers.dhcp), tftpPort: servers.tftpPort, dns: endpointOf(servers.dns) };
}

function endpointOf(text: string): { address: number; port: number } {
  const [address = "", port] = text.split(":");
  return { address: ipv4(address), port: Number(port) };
}

function ipv4(text: string): number {
  const address = parseIPv4(text);
  if (isMalformed(address)) throw new Error(`the rack speaks IPv4 only: ${text}`);
  return address;
}
