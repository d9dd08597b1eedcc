import { isMalformed, type IPv4 } from "@firstlight/wire";
import { get, type Message, type OPTIONS, type OptionValue } from "@firstlight/wire/dhcp4";
import type { Lease, Program } from "./program.ts";

/** An option as this client reads it: a malformed option counts as absent. */
export function said<Name extends keyof typeof OPTIONS>(
  message: Message,
  name: Name,
): OptionValue<typeof OPTIONS, Name> | undefined {
  const value = get(message.options, name);
  return isMalformed(value) ? undefined : value;
}

/** Option 67, else the `file` field. */
function bootFileOf(message: Message): string | undefined {
  return said(message, "bootFile") ?? (message.file === "" ? undefined : message.file);
}

/** Why this program cannot use the offer; `undefined` when it can. The rules of EDK2 and iPXE. */
export function unusable(program: Program, offer: Message): string | undefined {
  if (offer.yiaddr === 0) return "offer without an address";
  if (said(offer, "serverId") === undefined) return "offer without option 54"; // EDK2 Dhcp4Io.c:612
  const file = bootFileOf(offer);
  const echo = said(offer, "vendorClass") ?? "";
  switch (program.boots) {
    case "http":
      if (!echo.startsWith("HTTPClient")) return "offer without option 60 HTTPClient";
      return isUrl(file) ? undefined : "offer without a URL in option 67";
    case "tftp":
      if (file === undefined) return "offer without a boot file";
      // EDK2 PxeBcDhcp4.c: such an offer is a BINL one, which sends it to a boot server on port 4011
      return echo.startsWith("PXEClient") && !offer.options.has(43) ? "PXEClient offer without option 43" : undefined;
    case "script":
      return file === undefined ? "offer without a script" : undefined;
    case undefined:
      return undefined;
  }
}

function isUrl(text: string | undefined): boolean {
  return text !== undefined && /^https?:\/\/[^\s]+$/.test(text);
}

/** RFC 2131 §4.4.5: T1 at half of the lease, T2 at seven eighths, unless the server says otherwise. */
export function leaseOf(ack: Message, serverId: IPv4, now: number): Lease {
  const leaseSeconds = said(ack, "leaseTime") ?? 0;
  const [bootFile, hostName, domainName] = [bootFileOf(ack), said(ack, "hostName"), said(ack, "domainName")];
  return {
    address: ack.yiaddr,
    serverId,
    leaseSeconds,
    boundAt: now,
    renewAt: now + 1000 * (said(ack, "renewalTime") ?? leaseSeconds / 2),
    rebindAt: now + 1000 * (said(ack, "rebindingTime") ?? (leaseSeconds * 7) / 8),
    expiresAt: now + 1000 * leaseSeconds,
    nextServer: ack.siaddr,
    ...(bootFile !== undefined && { bootFile }),
    ...(hostName !== undefined && { hostName }),
    ...(domainName !== undefined && { domainName }),
  };
}
