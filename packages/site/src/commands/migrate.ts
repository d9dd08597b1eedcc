import { EXIT, faultLine, loadSite, withPassword } from "@firstlight/service";
import type { Command } from "commander";
import { SECTIONS } from "../sections.ts";

export function migrateCommand(program: Command): void {
  program
    .command("migrate")
    .description("bring the database's schemas to this version")
    .option("--config <file>", "the site's file; its database.url, or DATABASE_URL")
    .action(async ({ config }: { config?: string }) => {
      const loaded = loadSite(config, SECTIONS, process.env);
      if (loaded.is === "faulty") {
        for (const fault of loaded.faults) process.stderr.write(`${faultLine(fault)}\n`);
        process.exitCode = EXIT.config;
        return;
      }
      const { url, passwordFile } = loaded.site.database;
      if (url === undefined) {
        process.stderr.write(
          "firstlight: no database to migrate; set database.url or DATABASE_URL (the embedded one is migrated by `up`)\n",
        );
        process.exitCode = EXIT.config;
        return;
      }
      const { migrate } = await import("../migrate.ts");
      const done = await migrate(withPassword(url, passwordFile));
      process.stdout.write(done.length === 0 ? "nothing to do\n" : `${done.join("\n")}\n`);
    });
}
