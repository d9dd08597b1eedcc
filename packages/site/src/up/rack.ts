import { printStep, STEPS, type RackConfig, type Step, type StepName } from "@firstlight/rack";
import type { LogLine } from "../process/logfile.ts";
import type { Screen } from "./screen.ts";

/** Racks with more machines than this show only the end and the faults of each boot. */
const SCREENFUL = 8;
const ENDS: ReadonlySet<StepName> = new Set(["ready", "failed", "boot.retry", "http.refused", "local-disk"]);

/** Shows the boot as it happens, from the lines that the rack's process logs. */
export function rackListener(
  screen: Screen,
  sections: Readonly<Record<string, unknown>>,
  stop: AbortSignal,
): (name: string, line: LogLine) => void {
  const { machines } = sections["rack"] as RackConfig;
  return (name, { fields }) => {
    if (name !== "rack" || stop.aborted || !isStep(fields)) return; // a boot that a stop interrupts is not reported
    if (machines > SCREENFUL && !ENDS.has(fields.step)) return;
    const text = printStep(fields);
    if (text !== undefined) screen.line(text);
  };
}

function isStep(fields: object): fields is Step {
  return (
    "machine" in fields && "step" in fields && typeof fields.step === "string" && Object.hasOwn(STEPS, fields.step)
  );
}
