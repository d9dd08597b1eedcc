import { EXIT, faultLine, loadSite } from "@firstlight/service";
import type { Command } from "commander";
import { openCa, spiffe, type Ca, type Subject } from "../ca.ts";
import { SECTIONS } from "../sections.ts";

export function caCommands(program: Command): void {
  const ca = program.command("ca").description("the site's certificate authority");
  ca.command("init")
    .description("make it, unless it exists")
    .option("--config <file>", "the site's file")
    .action((options: { config?: string }) =>
      withCa(options, async (authority, site) => {
        process.stdout.write(
          `${authority.certFile}: the CA of ${site}, ${authority.fresh ? "made now" : "as it was"}\n`,
        );
      }),
    );
  ca.command("issue <name>")
    .description("a certificate for a daemon (dhcpd) or an operator (--operator); kept while it is good")
    .option("--config <file>", "the site's file")
    .option("--operator", "for a person")
    .option("--out <dir>", "where to write NAME.crt and NAME.key (default: the trust folder)")
    .action((name: string, options: { config?: string; operator?: boolean; out?: string }) =>
      withCa(options, async (authority, site) => {
        const subject: Subject = { is: options.operator === true ? "operator" : "daemon", name };
        const { certFile, done } = await authority.issue(subject, options.out);
        process.stdout.write(`${certFile}: ${spiffe(site, subject)}, ${done}\n`);
      }),
    );
}

async function withCa(options: { config?: string }, work: (ca: Ca, site: string) => Promise<void>): Promise<void> {
  const loaded = loadSite(options.config, SECTIONS, process.env);
  if (loaded.is === "faulty") {
    for (const fault of loaded.faults) process.stderr.write(`${faultLine(fault)}\n`);
    process.exitCode = EXIT.config;
    return;
  }
  const { trust, site } = loaded.site;
  await work(await openCa(trust.dir, site.name), site.name);
}
