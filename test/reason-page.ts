/** Generates the manual's page of reasons from the reason tables. `node test/reason-page.ts` writes the page. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { REASONS as api } from "@firstlight/api/reasons";
import { REASONS as apiClient } from "@firstlight/api-client/reasons";
import { REASONS as dhcpd } from "@firstlight/dhcpd/reasons";
import { REASONS as dnsd } from "@firstlight/dnsd/reasons";
import { REASONS as pxeHttp } from "@firstlight/pxe-http/reasons";
import { REASONS as service } from "@firstlight/service/reasons";
import { EDIT_REASONS as ipam } from "@firstlight/ipam";
import type { ReasonTable } from "@firstlight/service";
import { REASONS as tftpd } from "@firstlight/tftpd/reasons";
import { REASONS as unboundConfig } from "@firstlight/unbound-config/reasons";

export const PAGE = resolve(import.meta.dirname, "../docs/manual/reasons.md");

/** The reason tables, by package. */
export const TABLES: Readonly<Record<string, ReasonTable>> = {
  dhcpd,
  tftpd,
  "pxe-http": pxeHttp,
  dnsd,
  "unbound-config": unboundConfig,
  api,
  ipam,
  "api-client": apiClient,
  service,
};

/** Where the codes of each table appear. */
const WHERE: Readonly<Record<string, string>> = {
  dhcpd: "In `dhcp.` and `interface.` events, and in `firstlight_dhcp_silences_total`.",
  tftpd:
    "In `tftp.` events, in `firstlight_tftp_refusals_total`, `firstlight_tftp_transfers_total` and `firstlight_tftp_ignored_total`, and in `/ready`.",
  "pxe-http":
    "In `pxe.` events, in the body of refused requests, and in `firstlight_http_refusals_total`. `pxe.script` and `pxe.wait` have the code of the api's decision, or one of these.",
  dnsd: "In `firstlight_dns_silences_total`, `/ready` and the log.",
  "unbound-config": "In `/ready` and the log.",
  api: "In every error as `google.rpc.ErrorInfo` (domain `firstlight`), in `machine.state` and `pxe.phone-home` events, and in `/ready`.",
  ipam: "A refused edit: in its error as `google.rpc.ErrorInfo`, with the facts of the sentence as metadata.",
  "api-client": "In `firstlight_events_dropped_total` of every daemon that reports events.",
  service: "In `/ready` and the health address of every daemon.",
};

const HEAD = `# Reasons

Whatever is refused, ignored or degraded has a reason, and a reason has a code: the \`because\` of events, log lines,
metrics and \`/ready\`. Codes are stable; sentences may change. \`{name}\` in a sentence is a fact of the case, which stands beside the
code. \`/ready\` has the sentence with its facts as \`detail\`. Events that older versions stored have a sentence in the place of the code.

This page is made from the tables in the sources (\`reasons.ts\` of each package) by \`node test/reason-page.ts\`.
`;

/** The page as Markdown. */
export function reasonPage(): string {
  const sections = Object.entries(TABLES).map(([name, table]) => {
    const rows = Object.entries(table).map(
      ([code, { sentence, remedy, answers }]) => `| \`${code}\` | ${sentence} | ${answers} | ${remedy} |`,
    );
    return `\n## ${name}\n\n${WHERE[name]}\n\n| because | means | answer | remedy |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return HEAD + sections.join("");
}

if (process.argv[1] === join(import.meta.dirname, "reason-page.ts")) writeFileSync(PAGE, reasonPage());
