import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { SiteConfig } from "@firstlight/service";
import { openCa } from "../ca.ts";
import { contextOf } from "../folders.ts";
import { writeContext } from "../operator.ts";

/** The clients of the API and the API itself: each has its own certificate. */
const HOLDERS = ["api", "dhcpd", "tftpd", "pxe-http", "dnsd", "unbound-config"] as const;
const OPERATOR = "admin";

/** The result of checking the site's certificates. */
export type Trust =
  | { readonly is: "kept" | "issued"; readonly text: string }
  /** The CA's key is elsewhere: its certificates are used as they are. */
  | { readonly is: "foreign"; readonly text: string };

/** Gives every daemon and the first operator a certificate, renews what ends soon, and writes the CLI's context. */
export async function provideTrust({ site, trust, apiEndpoint }: SiteConfig): Promise<Trust> {
  const foreign = existsSync(join(trust.dir, "ca.crt")) && !existsSync(join(trust.dir, "ca.key"));
  if (foreign) return { is: "foreign", text: `certificates of ${trust.dir}, whose CA is elsewhere` };
  const ca = await openCa(trust.dir, site.name);
  const issued = await Promise.all(HOLDERS.map((name) => ca.issue({ is: "daemon", name })));
  const context = contextOf(site.stateDir);
  const operator = await ca.issue({ is: "operator", name: OPERATOR }, dirname(context));
  const beside = (file: string): string => relative(dirname(context), file);
  writeContext(context, {
    address: apiEndpoint,
    site: site.name,
    ca: beside(ca.certFile),
    cert: beside(operator.certFile),
    key: beside(operator.keyFile),
  });
  const fresh = [...issued, operator].filter(({ done }) => done !== "kept").length;
  if (fresh === 0) return { is: "kept", text: `certificates of the CA of ${site.name}, all good` };
  return { is: "issued", text: `${ca.fresh ? "a new CA" : "the CA"} of ${site.name}, ${fresh} certificates issued` };
}
