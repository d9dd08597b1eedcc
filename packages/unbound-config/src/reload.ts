import type { Answer, Control } from "./control.ts";

/** Reloads unbound's configuration, keeping its cache where the release can (1.17 and newer). */
export async function reload(control: Control): Promise<Answer> {
  const answer = await control("reload_keep_cache");
  return answer.is === "refused" && answer.fault.includes("unknown command") ? control("reload") : answer;
}
