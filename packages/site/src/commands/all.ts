import type { Command } from "commander";
import { caCommands } from "./ca.ts";
import { configCommands } from "./config.ts";
import { devicesCommands } from "./devices.ts";
import { domainsCommands } from "./domains.ts";
import { interfacesCommands } from "./interfaces.ts";
import { exchangeCommands } from "./exchange.ts";
import { historyCommands } from "./history.ts";
import { leasesCommands } from "./leases.ts";
import { machinesCommands } from "./machines.ts";
import { migrateCommand } from "./migrate.ts";
import { namesCommands } from "./names.ts";
import { poolsCommands } from "./pools.ts";
import { reservationsCommands } from "./reservations.ts";
import { segmentsCommands } from "./segments.ts";
import { upCommand } from "./up.ts";

/** Every verb but the daemons', in the order of the help. */
export function allCommands(program: Command): void {
  upCommand(program);
  machinesCommands(program);
  segmentsCommands(program);
  domainsCommands(program);
  interfacesCommands(program);
  devicesCommands(program);
  reservationsCommands(program);
  poolsCommands(program);
  leasesCommands(program);
  exchangeCommands(program);
  historyCommands(program);
  namesCommands(program);
  configCommands(program);
  caCommands(program);
  migrateCommand(program);
}
