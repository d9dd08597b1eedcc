import type { Readiness } from "./daemon.ts";

/** What a daemon tells the process that supervises it, over the IPC channel. */
export type Report =
  | {
      readonly firstlight: "ready";
      readonly daemon: string;
      readonly endpoints: Readonly<Record<string, string>>;
      readonly readiness: Readiness;
    }
  | { readonly firstlight: "readiness"; readonly daemon: string; readonly readiness: Readiness };

/** The supervisor as seen from a daemon; without one, telling is free and it is never gone. */
export interface Supervisor {
  tell(report: Report): void;
  /** Calls back once, when the supervisor is gone: nobody would restart or stop this process any more. */
  whenGone(listener: () => void): void;
}

/** The parent process, where there is an IPC channel to it. */
export function parentProcess(process: NodeJS.Process): Supervisor {
  return {
    tell: (report) => {
      if (process.connected) process.send?.(report, undefined, undefined, () => {}); // a parent that just died is told by `disconnect`
    },
    whenGone: (listener) => {
      if (process.send !== undefined) process.once("disconnect", listener);
    },
  };
}

export function isReport(message: unknown): message is Report {
  return typeof message === "object" && message !== null && "firstlight" in message && "daemon" in message;
}
