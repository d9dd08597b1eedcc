import { apiSchema } from "@firstlight/api/config";
import { dhcpdSchema } from "@firstlight/dhcpd/config";
import { dnsdSchema } from "@firstlight/dnsd/config";
import { expectedMachinesSchema, ipamSchema } from "@firstlight/ipam/config";
import { pxeHttpSchema } from "@firstlight/pxe-http/config";
import { rackSchema } from "@firstlight/rack/config";
import { tftpdSchema } from "@firstlight/tftpd/config";
import { unboundConfigSchema } from "@firstlight/unbound-config/config";
import type { z } from "zod";

/** Every section that a site's file may hold beside the shared ones. */
export const SECTIONS: Readonly<Record<string, z.ZodType>> = {
  ipam: ipamSchema,
  expectedMachines: expectedMachinesSchema,
  api: apiSchema,
  dhcpd: dhcpdSchema,
  tftpd: tftpdSchema,
  pxeHttp: pxeHttpSchema,
  dnsd: dnsdSchema,
  unboundConfig: unboundConfigSchema,
  rack: rackSchema,
};
