import type { ApiConfig } from "@firstlight/api/config";
import type { IpamConfig } from "@firstlight/ipam/config";
import { splitEndpoint } from "@firstlight/service";
import type { Composed } from "./compose.ts";
import { contextOf, shown } from "../folders.ts";
import { paint } from "../print.ts";
import type { Prepared } from "./prepare.ts";

/** What a newcomer may do with a site that runs. */
export function guide(prepared: Prepared, { children }: Composed): string {
  const { site, sections, file } = prepared;
  const { health } = sections["api"] as ApiConfig;
  const { domains } = sections["ipam"] as IpamConfig;
  const machines = sections["expectedMachines"] as readonly { readonly name: string }[];
  const where = (name: "dnsd" | "pxe-http"): string | undefined =>
    Object.values(children.get(name)?.endpoints() ?? {})[0];
  const endpoints = [...children].flatMap(([name, child]) =>
    Object.entries(child.endpoints()).map(([kind, at]) => `  ${name.padEnd(14)}  ${kind.padEnd(6)}  ${at}`),
  );
  const [dns, first, domain] = [where("dnsd"), machines[0]?.name, domains[0]?.name];
  const cli = "npm run -s firstlight --";
  const context = prepared.isDefault ? "" : ` --config ${shown(file)}`;
  const hints = [
    `${cli} machines list${context}`,
    first === undefined ? undefined : `${cli} machines timeline ${first}${context}`,
    `${cli} leases list${context}`,
    dns === undefined || first === undefined || domain === undefined ? undefined : dig(dns, `${first}.${domain}`),
    `curl -s http://${health}/ready`,
  ];
  return [
    "",
    paint("bold", "The site is up. Its endpoints:"),
    ...endpoints,
    `  ${"operator".padEnd(14)}  ${"mTLS".padEnd(6)}  ${shown(contextOf(site.site.stateDir))}`,
    `  ${"logs".padEnd(14)}  ${"JSON".padEnd(6)}  ${shown(`${site.site.stateDir}/log`)}`,
    "",
    paint("bold", "Try"),
    ...hints.filter((hint) => hint !== undefined).map((hint) => `  ${hint}`),
    "",
    paint("dim", "Ctrl-C stops all of it."),
  ].join("\n");
}

function dig(at: string, name: string): string {
  const { host, port } = splitEndpoint(at);
  return `dig +short @${host} -p ${port} ${name}`;
}
