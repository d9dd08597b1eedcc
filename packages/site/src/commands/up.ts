import { resolve } from "node:path";
import type { Command } from "commander";
import { STATE } from "../folders.ts";
import { interrupted } from "../process/interrupt.ts";
import { openScreen } from "../up/screen.ts";
import { up } from "../up/up.ts";
import { whole } from "./number.ts";

interface Flags {
  readonly rack?: boolean;
  readonly machines?: number;
  readonly exitWhenReady?: boolean;
  readonly config?: string;
  readonly state: string;
  readonly timeout: number;
}

export function upCommand(program: Command): void {
  program
    .command("up")
    .description("the whole site on this machine, until Ctrl-C")
    .option("--rack", "power a simulated rack on")
    .option("--machines <number>", "machines of the embedded site's rack (default: 4)", whole(1, 100_000))
    .option("--exit-when-ready", "exit 0 once every expected machine is Ready, else non-zero with the reasons")
    .option("--config <file>", "the site's file (default: the embedded site)")
    .option("--state <dir>", "the embedded site's state folder", (dir) => resolve(dir), STATE)
    .option("--timeout <seconds>", "how long the machines may take", whole(1, 86_400), 300)
    .action(async ({ machines, config, state, timeout, ...flags }: Flags) => {
      if (config !== undefined && machines !== undefined)
        program.error("--machines is for the embedded site; a site of your own names its machines in the file");
      process.title = "firstlight up";
      const code = await up(
        {
          file: config,
          stateDir: state,
          machines: machines ?? 4,
          hasRack: flags.rack === true,
          exitWhenReady: flags.exitWhenReady === true,
          timeoutSeconds: timeout,
        },
        { env: process.env, screen: openScreen(process.stdout), stop: interrupted(process) },
      );
      process.exit(code);
    });
}
