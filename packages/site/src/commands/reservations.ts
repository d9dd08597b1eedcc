import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { type Columns, printList } from "../list.ts";
import { json } from "../print.ts";
import { sourceFields } from "../source-text.ts";
import { ask, operatorVerb, type OperatorOptions, paged } from "./operator.ts";

type ReservationInit = NonNullable<Parameters<Operator["reservations"]["putReservation"]>[0]["reservation"]>;
type Reservation = Awaited<ReturnType<Operator["reservations"]["listReservations"]>>["reservations"][number];

export function reservationsCommands(program: Command): void {
  const reservations = program.command("reservations").description("addresses promised to a MAC, UUID, client or port");
  operatorVerb(reservations.command("list"))
    .description("every reservation")
    .option("--segment <name>", "only of this segment")
    .action((options: OperatorOptions & { segment?: string }) =>
      ask(options, async (operator) => {
        const pages = paged(async (page) => {
          const { reservations: rows, nextPageToken } = await operator.reservations.listReservations({
            segment: options.segment ?? "",
            ...page,
          });
          return { rows, nextPageToken };
        });
        await printList(pages, COLUMNS, options);
      }),
    );
  operatorVerb(reservations.command("put <file>"))
    .description("reserve an address, from YAML with the keys of the site's file")
    .action((file: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        const { reservation } = await operator.reservations.putReservation({
          reservation: sourceFields(file) as ReservationInit,
        });
        process.stdout.write(`${options.json === true ? json(reservation) : said(reservation)}\n`);
      }),
    );
  operatorVerb(reservations.command("delete <segment> <address>"))
    .description("let an address go; a lease on it goes on as its segment has it")
    .action((segment: string, address: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        await operator.reservations.deleteReservation({ segment, address });
        process.stdout.write(`${options.json === true ? "{}" : `${address} is reserved no more`}\n`);
      }),
    );
  operatorVerb(reservations.command("forget <segment> <mac>"))
    .description("delete an interface: its addresses rest, what is preserved is reserved for its MAC")
    .action((segment: string, mac: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        const { preserved } = await operator.reservations.deleteInterface({ segment, mac });
        const kept = preserved.length === 0 ? "" : `; ${preserved.join(", ")} waits for it`;
        process.stdout.write(`${options.json === true ? json({ preserved }) : `${mac} is forgotten${kept}`}\n`);
      }),
    );
}

const said = (row: Reservation | undefined): string => `${row?.address} is reserved for ${row?.identity}`;

const COLUMNS: Columns<Reservation> = {
  head: ["SEGMENT", "ADDRESS", "FOR", "ORIGIN"],
  cells: ({ segment, address, identity, origin }) => [segment, address, identity, origin],
};
