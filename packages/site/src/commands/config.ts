import { EXIT, faultLine, loadSite, siteSchema } from "@firstlight/service";
import type { Command } from "commander";
import { stringify } from "yaml";
import { documentation } from "../documentation.ts";
import { SECTIONS } from "../sections.ts";

export function configCommands(program: Command): void {
  const config = program.command("config").description("the site's file");
  fileVerb(config, "check", "validate a file and the environment; every fault is one line, exit 2", (file) => {
    if (checked(file) !== undefined) process.stdout.write(`${file ?? "defaults"}: ok\n`);
  });
  fileVerb(config, "show", "what a file means once defaults and the environment are in", (file) => {
    const loaded = checked(file);
    if (loaded !== undefined)
      process.stdout.write(stringify(withoutPasswords({ ...loaded.site, ...loaded.sections }), { lineWidth: 120 }));
  });
  config
    .command("defaults")
    .description("every setting, its meaning and its default, as a commented file")
    .action(() => {
      process.stdout.write(documentation({ ...siteSchema.shape, ...SECTIONS }));
    });
}

/** The file as an argument, or with `--config` as every other verb takes it. */
function fileVerb(config: Command, name: string, about: string, act: (file: string | undefined) => void): void {
  const verb = config.command(`${name} [FILE]`).description(about);
  verb
    .option("--config <file>", "the same, as other verbs take it")
    .action((argument: string | undefined, { config: option }: { config?: string }) => {
      if (argument !== undefined && option !== undefined)
        verb.error("error: one file, as the argument or with --config");
      act(argument ?? option);
    });
}

function checked(file: string | undefined) {
  const loaded = loadSite(file, SECTIONS, process.env);
  if (loaded.is === "loaded") return loaded;
  for (const fault of loaded.faults) process.stderr.write(`${faultLine(fault)}\n`);
  process.exitCode = EXIT.config;
}

/** A URL may carry one: it is not for a screen. */
function withoutPasswords<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll(/(\w+:\/\/[^:@/"\s]*):[^@/"\s]+@/g, "$1:***@")) as T;
}
