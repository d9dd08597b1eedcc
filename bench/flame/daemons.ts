import type { Bench } from "../harness/contract.ts";

/** The daemons that can be profiled: the bench that loads each, and its variant. */
export const PROFILED_DAEMONS: Readonly<Record<string, { readonly bench: Bench["name"]; readonly variant?: string }>> =
  {
    dhcpd: { bench: "dhcp" },
    dnsd: { bench: "dns" },
    tftpd: { bench: "tftp", variant: "blksize 1468" },
    "pxe-http": { bench: "http", variant: "script" },
    api: { bench: "api", variant: "decisions" },
  };
