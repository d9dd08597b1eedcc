/** Floor 2. A simulated rack: BMCs, DPUs and hosts as packet-level clients that know what firmware knows. */
import type { Daemon } from "@firstlight/service";
import { rackSchema } from "./config.ts";
import { plugIn, powerOn } from "./power.ts";
import { printMachine } from "./print.ts";
import type { RackReport } from "./timeline.ts";

export { type RackConfig, rackSchema } from "./config.ts";
export { fleet, type FleetMachine, type Role } from "./fleet.ts";
export { type PowerOn, powerOn } from "./power.ts";
export { printMachine, printStep } from "./print.ts";
export {
  type InterfaceReport,
  type MachineReport,
  type RackReport,
  type Step,
  type StepName,
  STEPS,
} from "./timeline.ts";

/** The rack as a process of the site: powered on at start, its leases kept until it stops. Every step is a log line. */
export const daemon: Daemon<typeof rackSchema> = {
  name: "rack",
  section: "rack",
  config: rackSchema,
  async start({ config, log, clock }) {
    const power = new AbortController();
    let report: RackReport | undefined;
    const relays = await plugIn(config); // without them there is no rack, and nothing to wait for
    const booting = powerOn(
      { ...config, stay: true, signal: power.signal, clock },
      (step) => log.info(step, step.step),
      relays,
    ).then((done) => {
      report = done;
      for (const machine of done.machines)
        log.info({ machine: machine.name, done: machine.done }, printMachine(machine));
    });
    return {
      endpoints: {},
      ready() {
        if (!report) return { ready: false, because: "machines-booting", detail: "machines are booting" };
        const missing = report.machines.length - report.done;
        return missing === 0
          ? { ready: true }
          : { ready: false, because: "machines-not-booted", detail: `${missing} machines did not boot` };
      },
      drain: async () => {},
      async stop() {
        power.abort();
        await booting;
      },
    };
  },
};
