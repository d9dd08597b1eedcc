import { runDaemon } from "@firstlight/service";
import type { Command } from "commander";
import { ABOUT, DAEMON_NAMES, DAEMONS } from "../process/daemons.ts";
import { SECTIONS } from "../sections.ts";

/** One verb per daemon: `firstlight dhcpd --config FILE`. */
export function daemonCommands(program: Command): void {
  for (const name of DAEMON_NAMES) {
    program
      .command(name)
      .description(ABOUT[name])
      .option("--config <file>", "the site's file (default: none, all defaults)")
      .option("--check", "validate the file and exit")
      .action(async ({ config, check }: { config?: string; check?: boolean }) => {
        process.title = `firstlight ${name}`;
        process.exit(
          await runDaemon(await DAEMONS[name](), { file: config, env: process.env, check, sections: SECTIONS }),
        );
      });
  }
}
