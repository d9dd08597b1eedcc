import type { Readiness } from "./readiness.ts";

/** What a daemon reports to its supervising process, over the IPC channel. */
export type Report =
  | {
      readonly firstlight: "ready";
      readonly daemon: string;
      readonly endpoints: Readonly<Record<string, string>>;
      readonly readiness: Readiness;
    }
  | { readonly firstlight: "readiness"; readonly daemon: string; readonly readiness: Readiness };

/** The supervisor as seen from a daemon. Without one, reports are dropped and `onExit` never calls back. */
export interface Supervisor {
  report(report: Report): void;
  /** Calls back once, when the supervisor has exited: nobody would restart or stop this process any more. */
  onExit(listener: () => void): void;
}

/** The parent process as supervisor, where there is an IPC channel to it. */
export function parentProcess(process: NodeJS.Process): Supervisor {
  return {
    report: (report) => {
      if (process.connected) process.send?.(report, undefined, undefined, () => {}); // a write to an exited parent fails; `disconnect` reports that
    },
    onExit: (listener) => {
      if (process.send !== undefined) process.once("disconnect", listener);
    },
  };
}

/** Whether a message on the IPC channel is a daemon's report. */
export function isReport(message: unknown): message is Report {
  return typeof message === "object" && message !== null && "firstlight" in message && "daemon" in message;
}
