import { HOLDING as DHCPD } from "@firstlight/dhcpd/holding";
import { HOLDING as DNSD } from "@firstlight/dnsd/holding";
import { EVERYTHING, type Holding } from "@firstlight/ipam";
import { HOLDING as PXE_HTTP } from "@firstlight/pxe-http/holding";
import { HOLDING as TFTPD } from "@firstlight/tftpd/holding";
import { HOLDING as UNBOUND_CONFIG } from "@firstlight/unbound-config/holding";

/** The kinds and indexes of each daemon's replica. */
export const HOLDINGS: Readonly<Record<string, Holding>> = {
  everything: EVERYTHING,
  dhcpd: DHCPD,
  dnsd: DNSD,
  "unbound-config": UNBOUND_CONFIG,
  "pxe-http": PXE_HTTP,
  tftpd: TFTPD,
};
