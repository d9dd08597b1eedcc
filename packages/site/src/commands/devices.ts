import { readFileSync } from "node:fs";
import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { parse } from "yaml";
import { type Columns, printList } from "../list.ts";
import { json } from "../print.ts";
import { ask, operatorVerb, type OperatorOptions, paged } from "./operator.ts";

type Device = Awaited<ReturnType<Operator["devices"]["listDevices"]>>["devices"][number];
type DeviceInit = NonNullable<Parameters<Operator["devices"]["expectDevices"]>[0]["devices"]>[number];

/** As in `expectedMachines` of the site's file. */
interface Machine {
  readonly name: string;
  readonly serial?: string;
  readonly interfaces: readonly DeviceInit[];
}

export function devicesCommands(program: Command): void {
  const devices = program.command("devices").description("devices that are to come, and what is predicted of them");
  operatorVerb(devices.command("list"))
    .description("every expected device, and whether it was seen")
    .option("--machine <name>", "only of this machine")
    .action((options: OperatorOptions & { machine?: string }) =>
      ask(options, async (operator) => {
        await printList(devicePages(operator, options.machine ?? ""), COLUMNS, options);
      }),
    );
  operatorVerb(devices.command("expect <file>"))
    .description("expect machines, from YAML as expectedMachines of the site's file, or what an inventory found in one")
    .action((file: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        const written = parse(readFileSync(file === "-" ? 0 : file, "utf8")) as readonly Machine[] | Machine;
        const machines = [written].flat() as readonly Machine[];
        const { devices: all } = await operator.devices.expectDevices({ devices: machines.flatMap(devicesOf) });
        const text = all.map(({ mac, label }) => `${mac} is expected as ${label}`).join("\n");
        process.stdout.write(`${options.json === true ? json(all) : text}\n`);
      }),
    );
  operatorVerb(devices.command("unexpect <mac...>"))
    .description("expect devices no more: predictions go, and what was seen belongs to no machine")
    .action((macs: string[], options: OperatorOptions) =>
      ask(options, async (operator) => {
        await operator.devices.unexpectDevices({ macs });
        const text = macs.map((mac) => `${mac} is expected no more`).join("\n");
        process.stdout.write(`${options.json === true ? "{}" : text}\n`);
      }),
    );
}

const devicesOf = ({ name, serial, interfaces }: Machine): DeviceInit[] =>
  interfaces.map((one) => ({ ...one, machine: name, ...(serial !== undefined && { serial }) }));

const devicePages = (operator: Operator, machine: string): AsyncGenerator<readonly Device[]> =>
  paged(async (page) => {
    const { devices, nextPageToken } = await operator.devices.listDevices({ machine, ...page });
    return { rows: devices, nextPageToken };
  });

const COLUMNS: Columns<Device> = {
  head: ["MACHINE", "ROLE", "MAC", "LABEL", "SEGMENT", "ADDRESS", "SERIAL", "STATE"],
  cells: (one) => [one.machine, one.role, one.mac, one.label, one.segment, one.address, one.serial, one.state],
};
