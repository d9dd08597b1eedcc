/** Floor 3. The one binary: the site in one process tree (`up`), each daemon alone, and the operator's verbs. */
import { Command } from "commander";
import { daemonCommands } from "./commands/daemons.ts";
import { DAEMONS } from "./process/daemons.ts";

const program = new Command("firstlight")
  .description("Network-boot infrastructure of a bare-metal site")
  .showHelpAfterError("(--help tells what there is)")
  .showSuggestionAfterError();

process.stdout.on("error", () => {}); // a closed pager or terminal is no reason to stop in disorder
const isDaemon = Object.hasOwn(DAEMONS, process.argv[2] ?? "");
if (!isDaemon) (await import("./commands/all.ts")).allCommands(program); // a daemon loads only what it runs
daemonCommands(program);
await program.parseAsync();
