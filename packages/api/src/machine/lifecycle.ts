import type { Action, MachineState } from "@firstlight/api-client";
import type { Role } from "@firstlight/ipam";
import type { Reason } from "../reasons.ts";

/** A machine as far as boot events drive it. */
export interface Machine {
  readonly id: string;
  readonly name: string;
  readonly state: MachineState;
  /** Grows with each stored change. */
  readonly version: number;
  /** Grows with each new task of the machine; tokens of an older task have no effect. */
  readonly task: number;
  /** The version at which the task began. */
  readonly taskVersion: number;
  /** Parts that have phoned home for this task. */
  readonly arrived: readonly string[];
  readonly interfaces: readonly MachineInterface[];
  readonly tenant?: string;
  readonly script?: string;
  readonly userData?: string;
}

export interface MachineInterface {
  readonly mac: string;
  readonly role: Role;
}

export type LifecycleEvent =
  /** It fetched a script of this decision. */
  | { readonly is: "script"; readonly action: string; readonly version: number }
  /** The system on `part` is up; `isProven`: it brought the current task's token. */
  | { readonly is: "phoneHome"; readonly part: string | undefined; readonly isProven: boolean }
  | { readonly is: "assign"; readonly tenant: string; readonly script: string; readonly userData?: string }
  | { readonly is: "release" };

/** The facts of one case, by the names that the reason's sentence has for them. */
type Facts = Readonly<Record<string, string>>;

export type LifecycleEffect =
  | {
      readonly do: "record";
      readonly from: MachineState;
      readonly to: MachineState;
      readonly because: Reason;
      readonly facts?: Facts;
    }
  /** The state stays, with the reason. */
  | { readonly do: "ignore"; readonly because: Reason; readonly facts?: Facts }
  /** An operator's request is refused. */
  | { readonly do: "refuse"; readonly because: Reason; readonly facts?: Facts };

type Step = [Machine, LifecycleEffect[]];

/** The effects of an event on a machine. Late and repeated events never move it back. */
export function step(machine: Machine, event: LifecycleEvent): Step {
  switch (event.is) {
    case "script":
      return fetched(machine, event.action, event.version);
    case "phoneHome":
      return arrive(machine, event.part, event.isProven);
    case "assign": {
      if (machine.state !== "ready") return refuse(machine, "cannot-be-assigned");
      const { tenant, script, userData } = event;
      const given = { ...machine, tenant, script, ...(userData !== undefined && { userData }) };
      return begin(given, "assigned", "given-to-tenant", { tenant });
    }
    case "release": {
      if (machine.state !== "assigned") return refuse(machine, "cannot-be-released");
      const { tenant, script: _script, userData: _userData, ...rest } = machine;
      return begin(rest, "cleaning", "released-by-tenant", { tenant: tenant ?? "its tenant" });
    }
  }
}

function fetched(machine: Machine, action: string, version: number): Step {
  if (machine.state !== "discovered") return ignore(machine, "past-discovery", { state: machine.state });
  if (action !== "discover") return ignore(machine, "script-of-another-action", { action });
  if (version < machine.taskVersion || version > machine.version) return ignore(machine, "script-of-another-task");
  return move(machine, "booting", "script-fetched");
}

function arrive(machine: Machine, part: string | undefined, isProven: boolean): Step {
  const awaited = awaitedParts(machine);
  if (awaited.length === 0) return ignore(machine, "nothing-awaited", { state: machine.state });
  if (!isProven) return ignore(machine, "token-of-another-task"); // ADR 0007
  if (part === undefined || !awaited.includes(part))
    return ignore(machine, "part-not-awaited", { part: part ?? "this part" });
  if (machine.arrived.includes(part)) return ignore(machine, "part-arrived-before", { part });
  const arrived = [...machine.arrived, part];
  const missing = awaited.filter((other) => !arrived.includes(other));
  if (missing.length === 0) return begin(machine, "ready", arrived.length > 1 ? "parts-arrived" : "phoned-home");
  const here = { ...machine, arrived };
  if (machine.state === "discovered") return move(here, "booting", "arrived-before-script", { part });
  return [
    { ...here, version: machine.version + 1 },
    [{ do: "ignore", because: "parts-missing", facts: { missing: missing.join(", ") } }],
  ];
}

/** Which parts must phone home before the machine goes on: empty when it waits for none. */
function awaitedParts(machine: Machine): string[] {
  if (machine.state === "ready" || machine.state === "assigned") return [];
  const parts = [...new Set(machine.interfaces.flatMap(({ mac }) => partOf(machine, mac) ?? []))].toSorted();
  return machine.state === "cleaning" && parts.includes("host") ? ["host"] : parts;
}

/** The bootable part behind a MAC: a host boots from any of its interfaces, each DPU is one of its own. */
export function partOf(machine: Machine, mac: string): string | undefined {
  const role = machine.interfaces.find((other) => other.mac === mac)?.role;
  if (role === "host") return "host";
  return role === "dpu_oob" ? `dpu_oob/${mac}` : undefined;
}

/** The same task in another state. */
function move(machine: Machine, to: MachineState, because: Reason, facts?: Facts): Step {
  const moved = { ...machine, state: to, version: machine.version + 1 };
  return [moved, [{ do: "record", from: machine.state, to, because, ...(facts && { facts }) }]];
}

/** A new task: all earlier tokens become invalid. */
function begin(machine: Machine, to: MachineState, because: Reason, facts?: Facts): Step {
  const [moved, effects] = move(machine, to, because, facts);
  return [{ ...moved, task: machine.task + 1, taskVersion: moved.version, arrived: [] }, effects];
}

function ignore(machine: Machine, because: Reason, facts?: Facts): Step {
  return [machine, [{ do: "ignore", because, ...(facts && { facts }) }]];
}

function refuse(machine: Machine, because: Reason): Step {
  return [machine, [{ do: "refuse", because, facts: { machine: machine.name, state: machine.state } }]];
}

/** What each part does in each state, and why. Add a row, not a branch. */
const DOES: Readonly<Record<MachineState, { host: [Action, Reason]; dpu: [Action, Reason] }>> = {
  discovered: {
    host: ["discover", "not-seen-in-order"],
    dpu: ["discover", "not-seen-in-order"],
  },
  booting: { host: ["discover", "discovery-under-way"], dpu: ["discover", "discovery-under-way"] },
  ready: { host: ["local-disk", "in-order"], dpu: ["local-disk", "in-order"] },
  assigned: { host: ["tenant", "belongs-to-tenant"], dpu: ["local-disk", "host-belongs-to-tenant"] },
  cleaning: { host: ["cleanup", "released"], dpu: ["local-disk", "host-being-cleaned"] },
};

/** What the part behind this MAC is to boot now. */
export function decide(machine: Machine, mac: string): { action: Action; because: Reason; part?: string } {
  const part = partOf(machine, mac);
  if (part === undefined) {
    return { action: "wait", because: "role-boots-nothing" };
  }
  const isDpu = part !== "host" && !(machine.state === "cleaning" && awaitedParts(machine).includes(part));
  const [action, because] = DOES[machine.state][isDpu ? "dpu" : "host"];
  return { action, because, part };
}
