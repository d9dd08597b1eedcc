import type { Bench } from "../harness/contract.ts";

/** Which bench loads each daemon, and by which of its variants. */
export const FLAMES: Readonly<Record<string, { readonly bench: Bench["name"]; readonly variant?: string }>> = {
  dhcpd: { bench: "dhcp" },
  dnsd: { bench: "dns" },
  tftpd: { bench: "tftp", variant: "blksize 1468" },
  "pxe-http": { bench: "http", variant: "script" },
  api: { bench: "api", variant: "decisions" },
};
