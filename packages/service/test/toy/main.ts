/** A daemon that only starts, drains and stops, as its section says; for the tests of the lifecycle. */
import { pbkdf2 } from "node:crypto";
import { z } from "zod";
import { runDaemon, type Daemon } from "../../src/index.ts";

const toySchema = z.strictObject({
  health: z.string().default("127.0.0.1:0"),
  serverId: z.string().default("toy"),
  start: z.enum(["well", "fail", "hang"]).default("well"),
  drain: z.enum(["well", "fail", "hang", "busy"]).default("well"),
  later: z.enum(["nothing", "reject"]).default("nothing"),
});

const hang = (): Promise<never> => new Promise(() => setInterval(() => {}, 1000));

/** With a thread pool of one thread, lines logged from now on are not written before this is done; earlier lines are written first. */
async function blockLogWrites(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  pbkdf2("", "", 1_000_000, 32, "sha256", () => {});
}

const toy: Daemon<typeof toySchema> = {
  name: "toy",
  section: "toy",
  config: toySchema,
  start: async ({ config, log, shared }) => {
    if (config.start === "fail") throw new Error("no port to listen on", { cause: new Error("EADDRINUSE") });
    if (config.start === "hang") await hang();
    if (config.later === "reject") setTimeout(() => void Promise.reject(new Error("nobody awaits me")), 10);
    const alive = setInterval(() => {}, 1000);
    return {
      endpoints: { toy: config.serverId, shared: shared.engine },
      ready: () => ({ ready: true }),
      drain: async () => {
        if (config.drain === "busy") await blockLogWrites();
        log.info("draining");
        if (config.drain === "fail") throw new Error("would not drain");
        if (config.drain === "hang") await hang();
      },
      stop: async () => {
        clearInterval(alive);
        log.info("all closed");
      },
    };
  },
};

const [file, check] = process.argv.slice(2);
process.exit(
  await runDaemon(toy, { file: file === "-" ? undefined : file, env: process.env, check: check === "--check" }),
);
