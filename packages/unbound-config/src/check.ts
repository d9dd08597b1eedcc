import { execFile } from "node:child_process";
import type { Reason } from "./reasons.ts";

export type Checked =
  | { readonly is: "valid"; readonly warnings: string }
  | { readonly is: "unsound"; readonly because: Reason; readonly fault: string }
  /** No checker is installed. */
  | { readonly is: "skipped"; readonly because: Reason; readonly fault: string };

const DEADLINE_MS = 20_000;
const MOST_BYTES = 1 << 20;
/** Folders of system programs that an ordinary user's PATH may lack. */
const FOLDERS = ["", "/usr/sbin/", "/usr/local/sbin/"];

/** The result of unbound-checkconf: unbound exits when it reloads a faulty file. */
export async function check(file: string, program: string): Promise<Checked> {
  for (const folder of program.includes("/") ? [""] : FOLDERS) {
    const checked = await run(`${folder}${program}`, file);
    if (checked.is !== "skipped") return checked;
  }
  return { is: "skipped", because: "checker-missing", fault: `${program} is not installed` };
}

function run(program: string, file: string): Promise<Checked> {
  const { promise, resolve } = Promise.withResolvers<Checked>();
  execFile(program, [file], { timeout: DEADLINE_MS, maxBuffer: MOST_BYTES }, (error, stdout, stderr) => {
    const said = `${stderr}${stdout}`.trim();
    if (error === null) resolve({ is: "valid", warnings: stderr.trim() });
    else if (error.code === "ENOENT")
      resolve({ is: "skipped", because: "checker-missing", fault: `${program} is not installed` });
    else if (error.killed === true)
      resolve({ is: "unsound", because: "checker-timeout", fault: `no verdict within ${DEADLINE_MS} ms` });
    else resolve({ is: "unsound", because: "checker-refuses", fault: said === "" ? error.message : said });
  });
  return promise;
}
