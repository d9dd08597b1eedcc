import type { Answer, Control } from "./control.ts";

/** Tells unbound to read its file anew, its cache kept where the release knows how; one before 1.17 forgets it. */
export async function reload(control: Control): Promise<Answer> {
  const answer = await control("reload_keep_cache");
  return answer.is === "refused" && answer.fault.includes("unknown command") ? control("reload") : answer;
}
