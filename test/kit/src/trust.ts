import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Credentials } from "@firstlight/service";
import { openCa } from "../../../packages/site/src/ca.ts";

/** A site's certificate authority for one test file. Disposal removes its folder. */
export interface TestTrust extends Disposable {
  /** Folder with `ca.crt`, `NAME.crt` and `NAME.key`. */
  readonly dir: string;
  /** Issues a certificate for `daemon/NAME` or `operator/NAME`. */
  issue(subject: string): Promise<Credentials>;
}

/** Creates the certificate authority of a site. */
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
