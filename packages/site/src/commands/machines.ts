import { readFileSync } from "node:fs";
import { STATES, type Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { type Columns, printList } from "../list.ts";
import { json, paint, stateWord, table, timeText } from "../print.ts";
import { ask, operatorVerb, type OperatorOptions, paged, type TimedOptions, timedVerb } from "./operator.ts";
import { eventSentence } from "../reasons.ts";

type State = (typeof STATES)[keyof typeof STATES];
export type Machine = NonNullable<Awaited<ReturnType<Operator["machines"]["getMachine"]>>["machine"]>;

export function machinesCommands(program: Command): void {
  const machines = program.command("machines").description("the machines, their states and their boots");
  operatorVerb(machines.command("list"))
    .description("every machine")
    .option("--state <state>", "only machines in this state", asState)
    .action((options: OperatorOptions & { state?: State }) =>
      ask(options, async (operator) => {
        await printList(machinePages(operator, options.state), COLUMNS, options);
      }),
    );
  operatorVerb(machines.command("show <name>"))
    .description("one machine")
    .action((name: string, options: OperatorOptions) =>
      ask(options, async (operator) =>
        printMachine((await operator.machines.getMachine({ machine: name })).machine, options),
      ),
    );
  timedVerb(machines.command("timeline <name>"))
    .description("every step of its boots, and every silence with its reason")
    .action((name: string, options: TimedOptions) => ask(options, (operator) => timeline(operator, name, options)));
  operatorVerb(machines.command("assign <name>"))
    .description("give a ready machine to a tenant: it boots this script from now on")
    .requiredOption("--tenant <tenant>", "whose it is")
    .requiredOption("--script <file>", "body of an iPXE script, without its first line")
    .option("--user-data <file>", "cloud-init user-data")
    .action((name: string, options: OperatorOptions & { tenant: string; script: string; userData?: string }) =>
      ask(options, async (operator) => {
        const script = readFileSync(options.script, "utf8");
        const userData = options.userData === undefined ? "" : readFileSync(options.userData, "utf8");
        printMachine(
          (await operator.machines.assignMachine({ machine: name, tenant: options.tenant, script, userData })).machine,
          options,
        );
      }),
    );
  operatorVerb(machines.command("release <name>"))
    .description("take it back: it boots the cleanup image, then is ready")
    .action((name: string, options: OperatorOptions) =>
      ask(options, async (operator) =>
        printMachine((await operator.machines.releaseMachine({ machine: name })).machine, options),
      ),
    );
  timedVerb(machines.command("watch"))
    .description("each change of a machine, until Ctrl-C")
    .action((options: TimedOptions) =>
      ask(options, async (operator) => {
        for await (const { machine } of operator.machines.watchMachines({})) {
          if (machine !== undefined)
            process.stdout.write(
              `${options.json === true ? JSON.stringify(JSON.parse(json(machine))) : `${timeText(machine.updated, options)}  ${machine.name}  ${stateWord(machine.state)}`}\n`,
            );
        }
      }),
    );
}

export function machinePages(operator: Operator, state?: State): AsyncGenerator<readonly Machine[]> {
  return paged(async (page) => {
    const asked = { ...(state !== undefined && { state }), ...page };
    const { machines, nextPageToken } = await operator.machines.listMachines(asked);
    return { rows: machines, nextPageToken };
  });
}

function asState(word: string): State {
  const state = Object.entries(STATES).find(([name]) => name === word)?.[1];
  if (state === undefined) throw new InvalidArgumentError(`want one of ${Object.keys(STATES).join(", ")}`);
  return state;
}

const address = (machine: Machine, role: string): string =>
  machine.interfaces.find((one) => one.role === role)?.address ?? "";

const COLUMNS: Columns<Machine> = {
  head: ["NAME", "STATE", "HOST", "BMC", "DPU", "TENANT", "SERIAL"],
  cells: (machine) => [
    machine.name,
    stateWord(machine.state),
    address(machine, "host"),
    address(machine, "host_bmc"),
    address(machine, "dpu_oob"),
    machine.tenant,
    machine.serial,
  ],
};

function printMachine(machine: Machine | undefined, options: OperatorOptions): void {
  if (machine === undefined) return;
  if (options.json === true) return void process.stdout.write(`${json(machine)}\n`);
  const head = `${paint("bold", machine.name)}  ${stateWord(machine.state)}${machine.tenant === "" ? "" : `, tenant ${machine.tenant}`}${machine.expected ? "" : ", not expected"}`;
  const rows = machine.interfaces.map(({ role, mac, address, fqdn, segment }) => [role, mac, address, fqdn, segment]);
  process.stdout.write(`${head}\n${table([["ROLE", "MAC", "ADDRESS", "NAME", "SEGMENT"], ...rows])}\n`);
}

async function timeline(operator: Operator, machine: string, options: TimedOptions): Promise<void> {
  const { events } = await operator.machines.getTimeline({ machine });
  if (options.json === true) return void process.stdout.write(`${json(events)}\n`);
  if (events.length === 0) process.stdout.write(`${machine}: nothing on record yet\n`);
  for (const { at, kind, mac, address, because, detail } of events) {
    const time = timeText(at, { ...options, withMs: true });
    const rest = [
      address === "" ? mac : address,
      ...Object.entries(detail).map(([name, value]) => `${name}=${value}`),
      eventSentence(kind, because, detail),
    ];
    process.stdout.write(
      `${paint("dim", time)}  ${kind.padEnd(16)}  ${rest.filter((word) => word !== "").join("  ")}\n`,
    );
  }
}
