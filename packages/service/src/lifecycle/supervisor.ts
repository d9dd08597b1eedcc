import type { Readiness } from "./daemon.ts";

/** What a daemon reports to its supervising process, over the IPC channel. */
export type Report =
  | {
      readonly firstlight: "ready";
      readonly daemon: string;
      readonly endpoints: Readonly<Record<string, string>>;
      readonly readiness: Readiness;
    }
  | { readonly firstlight: "readiness"; readonly daemon: string; readonly readiness: Readiness };

/** The supervisor as seen from a daemon. Without one, reports are dropped and it never disconnects. */
export interface Supervisor {
  tell(report: Report): void;
  /** Calls back once, when the supervisor has exited: this process would no longer be restarted or stopped. */
  whenGone(listener: () => void): void;
}

/** The parent process, where there is an IPC channel to it. */
export function parentProcess(process: NodeJS.Process): Supervisor {
  return {
    tell: (report) => {
      if (process.connected) process.send?.(report, undefined, undefined, () => {}); // a write to an exited parent fails; `disconnect` reports that
    },
    whenGone: (listener) => {
      if (process.send !== undefined) process.once("disconnect", listener);
    },
  };
}

export function isReport(message: unknown): message is Report {
  return typeof message === "object" && message !== null && "firstlight" in message && "daemon" in message;
}
