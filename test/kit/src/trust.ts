import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Credentials } from "@firstlight/service";
import { openCa } from "../../../packages/site/src/ca.ts";

/** A site's certificate authority of its own for one test file, in a folder that goes with it. */
export interface TestTrust extends Disposable {
  /** Where `ca.crt`, `NAME.crt` and `NAME.key` are, for tools that want files. */
  readonly dir: string;
  /** `daemon/api`, `operator/root` … */
  issue(subject: string): Promise<Credentials>;
}

export async function testTrust(site = "lab"): Promise<TestTrust> {
  const dir = mkdtempSync(join(tmpdir(), "firstlight-trust-"));
  const ca = await openCa(dir, site);
  return {
    dir,
    async issue(subject) {
      const [is, name] = subject.split("/") as ["daemon" | "operator", string];
      const { certFile, keyFile } = await ca.issue({ is, name });
      return { ca: readFileSync(ca.certFile), cert: readFileSync(certFile), key: readFileSync(keyFile) };
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
